/** Runs the compiled tests with Node's own runner. Node 20 has its WebSocket behind a flag. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const folder = 'test/dist/test/';
const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'));
const flags = typeof WebSocket === 'undefined' ? ['--experimental-websocket', '--no-warnings'] : [];
const tests = ['--test', '--test-reporter', 'spec', ...files.map((file) => folder + file)];
const run = spawnSync(process.execPath, [...flags, ...tests], { stdio: 'inherit' });
process.exit(run.status ?? 1);

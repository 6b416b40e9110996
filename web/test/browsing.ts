/** Windows of Chromium over a real kefu, and what people do in them. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

import { type Browser, type BrowserContext, type Locator, type Page, chromium } from 'playwright-core';

import { type Client } from '../src/client/index.js';
import { RealServer, SHOP, TENANT } from './real_server.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Where the pictures go, for somebody who wants to look at them. */
const PICTURES = process.env['PICTURES'];

/** Run in a page before anything else: a browser without an IndexedDB. */
export const WITHOUT_DATABASE = 'Object.defineProperty(globalThis, "indexedDB", { value: undefined });';

export interface Look {
  locale: string;
  colorScheme: 'light' | 'dark';
}

export class Browsing {
  /** Devices of people without a window; they stop with the browser. */
  readonly clients: Client[] = [];
  private readonly contexts: BrowserContext[] = [];

  private constructor(
    readonly server: RealServer,
    private readonly browser: Browser,
    private readonly pictures: string,
  ) {}

  static async start(): Promise<Browsing> {
    const server = await RealServer.start();
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true });
    return new Browsing(server, browser, PICTURES ?? (await mkdtemp(join(tmpdir(), 'kefu-pictures-'))));
  }

  async end(): Promise<void> {
    for (const client of this.clients) await client.stop();
    for (const context of this.contexts) await context.close();
    await this.browser.close();
    await this.server.remove();
    if (PICTURES === undefined) await rm(this.pictures, { recursive: true });
  }

  /** A window of its own, which fails the test when its page does. */
  async window(look: Look, width = 1100): Promise<Page> {
    const context = await this.browser.newContext({ ...look, viewport: { width, height: 720 }, timezoneId: 'Asia/Shanghai' });
    this.contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => assert.fail(`a page failed: ${error.message}`));
    page.on('console', (line) => assert.doesNotMatch(line.text(), /Content.Security.Policy/i));
    page.setDefaultTimeout(20_000);
    return page;
  }

  async picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(this.pictures, `${name}.png`) });
  }
}

export const bubble = (page: Page, text: string): Locator => page.locator('.bubble', { hasText: text });

export async function says(page: Page, text: string): Promise<void> {
  await page.locator('#composer textarea').fill(text);
  await page.locator('#composer textarea').press('Enter');
}

/** Waits until a customer's browser keeps so many messages on their way: their bubbles are there a moment earlier. */
export async function keeps(page: Page, messages: number): Promise<void> {
  await page.waitForFunction(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('kefu.chat.${TENANT}');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const keys = opening.result.transaction('values').objectStore('values').getAllKeys();
      keys.onsuccess = () => {
        opening.result.close();
        resolve(keys.result.filter((key) => key.startsWith('outbox/')).length === ${messages});
      };
    };
  })`);
}

/** An agent signs in; their service stays as it was. */
export async function signedInAt(server: RealServer, desk: Page, login: string): Promise<void> {
  await desk.goto(`${server.url}/desk/?tenant=${TENANT}`);
  await desk.locator('input[name=login]').fill(login);
  await desk.locator('input[name=password]').fill('kefu-demo-2026');
  await desk.locator('#sign-in button[type=submit]').click();
  await desk.locator('#service button[value=started]:enabled').waitFor();
}

export async function agentAt(server: RealServer, desk: Page, login: string): Promise<void> {
  await signedInAt(server, desk, login);
  await serves(desk, 'started');
}

export async function serves(desk: Page, service: 'started' | 'stopped'): Promise<void> {
  await desk.locator(`#service button[value=${service}]`).click();
  await desk.locator(`#service button[value=${service}][aria-pressed=true]`).waitFor();
}

/** Ends the conversation, on either page. */
export async function ends(page: Page): Promise<void> {
  await page.locator('#end').click();
  await page.locator('dialog button.strong').click();
}

export async function customerAt(server: RealServer, page: Page): Promise<void> {
  await page.goto(`${server.url}/chat/?tenant=${TENANT}&shop=${SHOP}`);
  await page.locator('#enter').click();
  await page.locator('#composer textarea').waitFor();
}

/** A picture that a browser can show: colours that run into each other. */
export function png(width: number, height: number): Buffer {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      rows.set([(255 * x) / width, (255 * y) / height, 140], y * (1 + 3 * width) + 1 + 3 * x);
    }
  }
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, part('IHDR', size), part('IDAT', deflateSync(rows)), part('IEND', Buffer.alloc(0))]);
}

function part(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

function crc(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

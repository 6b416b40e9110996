// The peer that kefu's figures are compared with: what a team would write first, socket.io in front of PostgreSQL. A message is one
// row, committed before it is acknowledged and before it is delivered. It has no sign-in, no routing, no unread counts and no history,
// so what it costs is a floor of such a stack. Started by scripts/beside_peer.sh.
import { createServer } from "node:http";
import pg from "pg";
import { Server } from "socket.io";

const [, , socketDirectory, port] = process.argv;
const pool = new pg.Pool({ host: socketDirectory, user: "postgres", database: "postgres", max: 20 });
await pool.query(
  "CREATE TABLE IF NOT EXISTS messages (id bigserial PRIMARY KEY, sender text, recipient text, body text, sent timestamptz DEFAULT now())",
);
// A prepared statement, and a map instead of rooms: the quickest that the libraries offer.
const insert = { name: "insert", text: "INSERT INTO messages (sender, recipient, body) VALUES ($1, $2, $3) RETURNING id" };
const online = new Map();

const server = createServer();
const io = new Server(server, { transports: ["websocket"] });
io.on("connection", (socket) => {
  const user = socket.handshake.query.user;
  socket.join(user);
  socket.on("send", async (message, acknowledge) => {
    const { rows } = await pool.query(insert.text, [user, message.to, message.text]);
    io.to(message.to).emit("message", { id: rows[0].id, number: message.number, text: message.text });
    acknowledge(rows[0].id);
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log("relay: ready"));

// Asks with Node's fetch, and with its http over an agent that keeps one connection.
// Arguments: a base URL, a path and a body. Prints how it asked, the status and the answer.
import http from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

const [base, path, body] = process.argv.slice(2);
const target = new URL(path, base);
const pieces = () => Readable.from([body.slice(0, 9), body.slice(9)]);
const say = (how, status, answer) => console.log([how, status, answer].join("\t"));

const fetched = async (how, url, options) => {
  const answer = await fetch(url, options);
  say(how, answer.status, await answer.text());
};

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const requested = (how, url, options, send) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { agent, ...options }, async (answer) => {
      say(how, answer.statusCode, await text(answer));
      resolve();
    });
    request.on("error", reject);
    send(request);
  });

const live = new URL("/v2/health/live", base);
const post = { method: "POST" };
for (let turn = 0; turn < 3; turn++) {
  await fetched("live", live);
  await fetched("whole", target, { ...post, body });
  await fetched("chunked", target, { ...post, body: Readable.toWeb(pieces()), duplex: "half" });
  await requested("live", live, {}, (request) => request.end());
  await requested("whole", target, post, (request) => request.end(body));
  await requested("chunked", target, post, (request) => pieces().pipe(request));
  await requested("continued", target, { ...post, headers: { Expect: "100-continue" } }, (request) =>
    request.on("continue", () => request.end(body)),
  );
}
agent.destroy();

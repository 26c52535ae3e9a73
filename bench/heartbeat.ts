// Asks a URL every two milliseconds until its input ends, and then prints how long each answer took, as JSON. A process of its
// own: one that reads megabytes besides would measure itself.
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 2;
const [url = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const times: number[] = [];
let over = false;
process.stdin.on('end', () => (over = true)).resume();

const ask = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    get(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - began));
    }).on('error', reject);
  });

for (let warm = 0; warm < 50; warm += 1) await ask();
while (!over) {
  times.push(await ask());
  await sleep(EVERY_MS);
}
agent.destroy();
console.log(JSON.stringify(times));

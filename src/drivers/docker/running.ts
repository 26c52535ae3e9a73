// The running containers by one plain request: for whoever needs their names and nothing else of Docker.
import { request } from 'node:http';
import { z } from '../../base/schema.ts';

const Running = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    Image: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);

interface RunningContainer {
  readonly id: string;
  /** Without the slash that Docker puts before it. */
  readonly name: string | undefined;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

const LARGEST = 64 * 1024 * 1024;

/**
 * What `docker ps` lists, from any Docker Engine or what answers like one. Rejects when there is no whole answer within
 * `deadlineMs`. It does without the client library, which takes more memory than all collectors together.
 */
export async function runningContainers(socketPath: string, deadlineMs: number): Promise<readonly RunningContainer[]> {
  const text = await get(socketPath, '/containers/json', AbortSignal.timeout(deadlineMs));
  return Running.parse(JSON.parse(text)).map(({ Id, Names, Image, Labels }) => ({
    id: Id,
    // Links of other containers come as `/OTHER/ALIAS`.
    name: Names?.map((name) => name.replace(/^\//, '')).find((name) => !name.includes('/')),
    image: Image,
    labels: Labels ?? {},
  }));
}

const get = (socketPath: string, path: string, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, headers: { host: 'docker' }, agent: false, signal }, (reply) => {
      if (reply.statusCode !== 200) {
        reply.resume();
        reject(new Error(`Docker answers ${reply.statusCode ?? 'nothing'} to ${path}`));
        return;
      }
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > LARGEST) sent.destroy(new Error(`Docker answers more than ${LARGEST} characters to ${path}`));
      });
      reply.on('end', () => (reply.complete ? resolve(text) : reject(new Error(`Docker broke off ${path}`))));
      reply.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });

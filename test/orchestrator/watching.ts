// A watch over HTTP, line by line.
import { type IncomingMessage, request } from 'node:http';
import type { ApiDoor, Json } from './api-door.ts';

export interface Watching {
  readonly status: number;
  readonly events: Json[];
  readonly ended: () => boolean;
  readonly stop: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Begins a watch as a viewer; resolves with its status. */
export function watchLines({ door, tokens }: ApiDoor, path: string, accept = 'application/json'): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: door.port('loopback'),
        path,
        headers: { authorization: `Bearer ${tokens.viewer}`, accept },
      },
      (response: IncomingMessage) => {
        const events: Json[] = [];
        let rest = '';
        let over = false;
        response.setEncoding('utf8').on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          events.push(...lines.map((line) => JSON.parse(line) as Json));
        });
        response.on('error', () => undefined).on('close', () => (over = true));
        resolve({
          status: response.statusCode ?? 0,
          events,
          ended: () => over,
          stop: () => sent.destroy(),
          pause: () => response.pause(),
          resume: () => response.resume(),
        });
      },
    );
    sent.on('error', reject).end();
  });
}

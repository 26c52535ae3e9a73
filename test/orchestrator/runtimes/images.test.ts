// Images: which names there can be, and pulls that many wait for, some for too long.
import t from 'tap';
import { Fault } from '../../../src/base/fault.ts';
import { isImageName, openImages } from '../../../src/orchestrator/runtimes/docker/images.ts';
import { codeOf } from '../../contracts/runtime.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

t.test('names of images are told from other text', async (t) => {
  for (const name of [
    'nginx',
    'nginx:1.29-alpine',
    'library/nginx',
    'docker.io/library/nginx:latest',
    'registry.example.com:5000/team/app_one/web--x:v1.2_3',
    'localhost/a',
    '[::1]:5000/a',
    'Registry.Example.com/a',
    `a@${DIGEST}`,
    `a:1@${DIGEST}`,
    'registry.k8s.io/pause:3.10',
  ])
    t.ok(isImageName(name), name);
  for (const name of [
    '',
    ' nginx',
    'nginx ',
    'Nginx',
    'nginx:',
    'nginx:a b',
    'a//b',
    '/a',
    'a/',
    'a..b',
    'a@sha256:123',
    'a:1:2',
    '../etc/passwd',
    'a?tag=b',
    'a%2fb',
    'a'.repeat(600),
    `${'a-'.repeat(200)}!`,
  ])
    t.notOk(isImageName(name), JSON.stringify(name).slice(0, 60));
});

/** An engine without images, whose pulls end when they are told to. */
function engine() {
  const there = new Set<string>();
  const pulls: { readonly name: string; readonly end: (error?: Error) => void }[] = [];
  return {
    pulls,
    there,
    image: async (name: string) => (there.has(name) ? { Id: `id-${name}`, Config: { User: 'app' } } : undefined),
    pull: (name: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => {
          if (error !== undefined) return reject(error);
          there.add(name);
          resolve();
        };
        pulls.push({ name, end });
      }),
  };
}

t.test('all who wait for an image wait for one pull', async (t) => {
  const docker = engine();
  const images = openImages(docker);
  const all = [1, 2, 3].map(() => images.ensure(docker, 'a:1', 'IfNotPresent'));
  const other = images.ensure(docker, 'b:1', 'Always');
  await new Promise((resolve) => setImmediate(resolve));
  t.same(docker.pulls.map(({ name }) => name).sort(), ['a:1', 'b:1']);
  for (const { end } of docker.pulls) end();
  t.same(
    await Promise.all(all),
    Array.from({ length: 3 }, () => ({ id: 'id-a:1', user: 'app' })),
  );
  await other;
  await images.ensure(docker, 'a:1', 'IfNotPresent');
  t.equal(docker.pulls.length, 2, 'what is there is not pulled');
});

t.test('a pull that takes long goes on while nobody waits, and its failure is the next start’s to see', async (t) => {
  const docker = engine();
  const images = openImages(docker, 20);
  t.equal(await codeOf(images.ensure(docker, 'a:1', 'IfNotPresent')), 'JD_IMAGE_PULLING');
  t.equal(await codeOf(images.ensure(docker, 'a:1', 'IfNotPresent')), 'JD_IMAGE_PULLING');
  t.equal(docker.pulls.length, 1, 'the second start joins the pull');
  docker.pulls[0]?.end();
  t.same(await images.ensure(docker, 'a:1', 'IfNotPresent'), { id: 'id-a:1', user: 'app' });
  t.equal(await codeOf(images.ensure(docker, 'b:1', 'IfNotPresent')), 'JD_IMAGE_PULLING');
  docker.pulls[1]?.end(new Error('no such tag'));
  await new Promise((resolve) => setImmediate(resolve));
  const again = images.ensure(docker, 'b:1', 'IfNotPresent');
  await new Promise((resolve) => setImmediate(resolve));
  docker.pulls[2]?.end(new Error('no such tag'));
  const fault = await again.catch((error: unknown) => error);
  t.match(fault, { code: 'JD_IMAGE_PULL_FAILED', cause: { message: 'no such tag' } });
  t.ok(fault instanceof Fault);
});

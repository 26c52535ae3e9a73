// Names of images: what Docker takes, and what it would refuse with words that help nobody.
import t from 'tap';
import { isImageName } from '../../../src/orchestrator/runtimes/docker/images.ts';

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

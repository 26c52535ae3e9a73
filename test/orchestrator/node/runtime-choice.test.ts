// Which runtime a pod runs on.
import t from 'tap';
import { chooseRuntime } from '../../../src/orchestrator/node/runtime-choice.ts';
import type { RuntimeName } from '../../../src/orchestrator/runtimes/runtime.ts';
import { pod } from './samples.ts';

t.test('the pod’s word, then what was chosen before, then docker where the host has it', async (t) => {
  const choose = (said: string | undefined, noted: string | undefined, hasDocker: boolean): RuntimeName => {
    const { spec, ...rest } = pod(noted === undefined ? {} : { annotations: { 'jdos.io/runtime': noted } });
    const { runtimeClassName: _, ...without } = spec;
    return chooseRuntime(
      { ...rest, spec: said === undefined ? without : { ...without, runtimeClassName: said } },
      hasDocker,
    );
  };
  t.equal(choose(undefined, undefined, true), 'docker');
  t.equal(choose(undefined, undefined, false), 'process');
  t.equal(choose('process', undefined, true), 'process');
  t.equal(choose('docker', undefined, false), 'docker');
  t.equal(choose(undefined, 'process', true), 'process', 'docker that comes later changes nothing');
  t.equal(choose(undefined, 'docker', false), 'docker', 'nor does docker that goes');
  t.equal(choose('process', 'docker', true), 'process');
});

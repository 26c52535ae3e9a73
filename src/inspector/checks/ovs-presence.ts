// Whether there is an Open vSwitch to check, and whether it answers: what all checks of it begin with.
import { HOST, scalar, type Facts } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both } from '../wording.ts';

export const PRESENT = 'jdos_ovs_present';
export const VSWITCHD = 'jdos_ovs_vswitchd_up';

/** Nothing to check, and why. */
export const skipped = (zh: string, en: string): Observation => ({
  target: HOST,
  value: undefined,
  missing: { verdict: 'skipped', reason: both(zh, en) },
  evidence: [],
});

/** Why there is no Open vSwitch to ask, or undefined where there is one. */
export function noSwitch(facts: Facts): Observation | undefined {
  const present = scalar(facts, PRESENT);
  if (present === undefined) return absent(facts, PRESENT, HOST);
  return present === 0 ? skipped('本机没有 Open vSwitch', 'this host has no Open vSwitch') : undefined;
}

/** Why what ovs-vswitchd knows is not known, or undefined where it answers. Its silence is a finding of OVS_ALIVE. */
export function noAnswer(facts: Facts): Observation | undefined {
  const none = noSwitch(facts);
  if (none !== undefined) return none;
  if (facts.samples(VSWITCHD)?.[0]?.value === 1) return undefined;
  const reason = both('ovs-vswitchd 无应答,见 OVS_ALIVE', 'ovs-vswitchd does not answer, see OVS_ALIVE');
  return { target: HOST, value: undefined, missing: { verdict: 'unknown', reason }, evidence: [] };
}

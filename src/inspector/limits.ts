// The limits in force: a check's own, with what the configuration changes.
import type { Check } from './check.ts';
import type { Limits, Observation } from './model.ts';

/** What may be changed of one set of limits. Moving a limit moves its clear limit along, unless that is given too. */
export interface LimitChange {
  readonly warn?: number | undefined;
  readonly crit?: number | undefined;
  readonly clearWarn?: number | undefined;
  readonly clearCrit?: number | undefined;
}

/** Changes by check code; `targets` are for one mount, group or named variant (`io`, `D`) alone. */
export type LimitChanges = Readonly<
  Record<string, LimitChange & { readonly targets?: Readonly<Record<string, LimitChange>> | undefined }>
>;

export function changeLimits(limits: Limits, change: LimitChange): Limits {
  const warn = change.warn ?? limits.warn;
  const crit = change.crit ?? limits.crit;
  return {
    bad: limits.bad,
    warn,
    crit,
    clearWarn: change.clearWarn ?? tidy(limits.clearWarn + (warn - limits.warn)),
    clearCrit: change.clearCrit ?? tidy(limits.clearCrit + (crit - limits.crit)),
  };
}

/** Sums of decimal fractions without their binary dust. */
const tidy = (value: number): number => Number(value.toPrecision(12));

/** Why limits make no sense together, or undefined. */
export function contradiction({ bad, warn, crit, clearWarn, clearCrit }: Limits): string | undefined {
  const sign = bad === 'above' ? 1 : -1;
  const [more, less] = bad === 'above' ? ['above', 'below'] : ['below', 'above'];
  if ((crit - warn) * sign < 0) return `crit (${crit}) not ${less} warn (${warn})`;
  if ((clearWarn - warn) * sign > 0) return `clearWarn (${clearWarn}) not ${more} warn (${warn})`;
  if ((clearCrit - crit) * sign > 0) return `clearCrit (${clearCrit}) not ${more} crit (${crit})`;
  return undefined;
}

/**
 * The limits that judge an observation. Where a check has variants, a change for the code alone is for the targets
 * without a variant; the others are changed by the name of their variant.
 */
export function limitsFor(
  check: Check,
  observation: Pick<Observation, 'target' | 'variant'>,
  changes: LimitChanges,
): Limits {
  const variant = observation.variant === undefined ? undefined : check.variants?.[observation.variant];
  const change = changes[check.code] ?? {};
  const general = variant?.limits ?? changeLimits(check.limits, change);
  const own = change.targets?.[observation.variant ?? observation.target];
  return own === undefined ? general : changeLimits(general, own);
}

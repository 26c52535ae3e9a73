// History: chosen series as rollups of minutes and days, the processes of the last day, and what grows.
export { BY, type By } from './culprit.ts';
export { openHistory, type FdsGrowthView } from './history.ts';

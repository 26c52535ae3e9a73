// Every kind of fault that tracing answers or reports.
import { faultKind } from '../base/fault.ts';

export const TRACE_MALFORMED = faultKind(
  'JD_TRACE_MALFORMED',
  400,
  'send an OTLP ExportTraceServiceRequest in the encoding that Content-Type names',
);
export const TRACE_MEDIA = faultKind(
  'JD_TRACE_MEDIA',
  415,
  'send "Content-Type: application/x-protobuf" or "Content-Type: application/json"',
);
export const TRACE_OVERLOADED = faultKind(
  'JD_TRACE_OVERLOADED',
  503,
  'send again after Retry-After; if it stays so, raise tracing.maxInFlightBytes or tracing.hotBytes, or sample at the sender',
);
export const TRACE_DISK_FULL = faultKind(
  'JD_TRACE_DISK_FULL',
  503,
  'free space on the file system of the data directory; nothing that was acknowledged is lost, and senders may try again',
);
export const TRACE_STORE_FAILED = faultKind(
  'JD_TRACE_STORE_FAILED',
  503,
  'look at the part `traces` in `jdos status`; the store is opened again by itself',
);
export const TRACE_UNKNOWN = faultKind(
  'JD_TRACE_UNKNOWN',
  404,
  'check the id, or list traces with `jdos traces`; those older than tracing.retentionHours are deleted',
);
export const TRACE_CURSOR = faultKind('JD_TRACE_CURSOR', 400, 'give the cursor that the last page had as `next`');

// Tracing: spans taken in, kept and found; and yaRPC, by which the daemon's processes speak.
export { openTracing } from './tracing.ts';
export { bufferedRecorder } from './ledger/buffered.ts';
export { type Ledger, openLedger } from './ledger/ledger.ts';
export { ledgerMetrics } from './ledger/metrics.ts';
export type { Recorder } from './ledger/recorder.ts';
export { openRpcClient, type RpcClient } from './yarpc/client.ts';
export { listenRpc, type RpcListener } from './yarpc/listen.ts';
export { rpcMetrics } from './yarpc/metrics.ts';
export { yarpcRoute } from './yarpc/route.ts';
export { rpcHandler, type RpcHandler } from './yarpc/server.ts';

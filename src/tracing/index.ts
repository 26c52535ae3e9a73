// Tracing: so far yaRPC, by which the daemon's processes speak.
export { openRpcClient, type RpcClient, type RpcPeer } from './yarpc/client.ts';
export { listenRpc, type RpcListener } from './yarpc/listen.ts';
export { yarpcRoute } from './yarpc/route.ts';
export { rpcHandler, type RpcHandler, type RpcReply } from './yarpc/server.ts';

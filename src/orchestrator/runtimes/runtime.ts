// The port to what runs pods. Two adapters: docker and process; both pass test/contracts/runtime.ts.
import type { Health } from '../../base/component.ts';
import type { Container, Pod } from '../objects/pod.ts';

export const RUNTIMES = ['docker', 'process'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** Why a container ended, Kubernetes' words; `ExitCodeLost`: nobody waited for it, so the code is unknown. */
type EndReason = 'Completed' | 'Error' | 'OOMKilled' | 'ContainerCannotRun' | 'ExitCodeLost';

/** What a pod's containers share; on docker the pause container, on process a cgroup and a directory. */
export interface ObservedSandbox {
  /** The runtime's own name for it. */
  readonly id: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly podName: string;
  readonly attempt: number;
  readonly ready: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Absent where the pod has no network of its own. */
  readonly ip?: string;
}

export interface ObservedContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly podName: string;
  /** The container's name in the pod. */
  readonly name: string;
  /** 0 for the first run, 1 for the first restart… */
  readonly attempt: number;
  readonly state: 'created' | 'running' | 'exited';
  readonly pid?: number;
  readonly image: string;
  readonly imageId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** Only where it is known. */
  readonly exitCode?: number;
  readonly signal?: number;
  readonly reason?: EndReason;
  readonly message?: string;
}

/** Everything of this installation that a runtime has, running or not. */
export interface RuntimeFacts {
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

/** Where a container's output is, and how it is written: as it came, or in docker's json-file lines. */
export interface LogFile {
  readonly path: string;
  readonly format: 'raw' | 'docker-json';
}

/** One container to be started. */
export interface StartRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly sandboxId: string;
  /** With `valueFrom` resolved. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Every call may be repeated after a crash at any instant and then does nothing twice: names are made of pod uid,
 * container and attempt. Calls reject with a Fault and never hang: each has a deadline of its own, at most two minutes
 * beyond a grace period that is asked for.
 */
export interface Runtime {
  readonly name: RuntimeName;
  /** Whether pods can be started here now, and if not why and what to do. Waits for an answer up to some seconds. */
  check(): Promise<Health>;
  /** Rejects where it cannot be known: then nothing may be concluded from what is absent. */
  list(): Promise<RuntimeFacts>;
  /** Calls back soon after something may have changed; a hint, `list` is the truth. */
  watch(onChange: () => void): AsyncDisposable;
  /** Warnings are texts for events: a limit that was discarded, a score that could not be set. */
  createSandbox(pod: Pod, attempt: number): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  /** Creates and starts. Idempotent by (pod uid, name, attempt). */
  startContainer(request: StartRequest): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  /** TERM, after `graceSeconds` KILL; resolves when it has ended. What is not there has ended. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  /** Removes an ended container with its log. */
  removeContainer(id: string): Promise<void>;
  /** Removes the sandbox and what the pod left on disk. Its containers are removed before. */
  removeSandbox(id: string): Promise<void>;
  /** Undefined where the container is not there. */
  logFile(id: string): Promise<LogFile | undefined>;
}

// What Docker's API answers, as far as it is read here, under Docker's own names.
import type Dockerode from 'dockerode';
import { z } from '../../base/schema.ts';

/** The body of a container's creation. */
export type ContainerSpec = Dockerode.ContainerCreateOptions;
export type Mount = NonNullable<NonNullable<ContainerSpec['HostConfig']>['Mounts']>[number];

const Labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((labels) => labels ?? {});

/** One line of `docker ps --all`. */
export const ContainerSummary = z.object({
  Id: z.string(),
  Image: z.string(),
  Labels,
  /** With a slash before each. */
  Names: z.array(z.string()).default([]),
  /** `created`, `running`, `exited`…; told with other words by each version. */
  State: z.string(),
});
export type ContainerSummary = z.output<typeof ContainerSummary>;

/** `docker inspect`. */
export const ContainerDetails = z.object({
  Id: z.string(),
  /** Without the slash that Docker puts before it. */
  Name: z.string().transform((name) => name.replace(/^\//, '')),
  Created: z.string(),
  /** Identifier of the image. */
  Image: z.string(),
  LogPath: z.string().optional(),
  Config: z.object({ Image: z.string(), Labels }),
  HostConfig: z.object({ OomScoreAdj: z.number().nullish() }),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    Pid: z.number(),
    ExitCode: z.number(),
    OOMKilled: z.boolean().optional(),
    Error: z.string().optional(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
});
export type ContainerDetails = z.output<typeof ContainerDetails>;

export const ImageDetails = z.object({
  Id: z.string(),
  Config: z.object({ User: z.string().optional() }).nullish(),
});
export type ImageDetails = z.output<typeof ImageDetails>;

export const Created = z.object({
  Id: z.string(),
  Warnings: z
    .array(z.string())
    .nullish()
    .transform((warnings) => warnings ?? []),
});

export const Volumes = z.object({ Volumes: z.array(z.object({ Name: z.string() })).nullish() });

/** One line of `docker events`. */
export const Event = z.object({ Type: z.string(), Action: z.string(), Actor: z.object({ ID: z.string() }) });
export type Event = z.output<typeof Event>;

/** One line of a pull: how far it is, or why it cannot go on. */
export const Progress = z.object({ error: z.string().optional() });

export const Refusal = z.object({ message: z.string() });

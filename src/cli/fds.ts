// `jdos fds PID|CONTAINER`: what the open file descriptors of a process or a container are.
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { fdsLines, Fds } from './fds-view.ts';

const HELP = `
A container is named by its id or the beginning of it, by its name, as NAMESPACE/POD/CONTAINER, or by the path of its
cgroup; /jdos/v1/containers lists them.

What to look for:
  jdos top --by fds               who holds the most open files, and who gains
  jdos fds 4711                   what they are: a kind that makes up nearly all is what leaks
  jdos fds web                    those of all processes of the container web
  jdos fds 4711 --json            for programs

  many sockets in CLOSE_WAIT      the other side has closed, the program has not: it forgets its connections
  many unlisted sockets           closed on both sides, or never connected, and still open in the program
  the same path over and over     a file that is opened again and not closed
  deleted files                   removed, but their room is free only when the last descriptor is closed: restart the
                                  program, or have it open its files again (log rotation: copytruncate, or a signal)
  eventpoll, eventfd, io_uring    event loops that are made and not ended

It needs the role operator: paths and addresses tell what a program works on. A number is a PID.`;

/** The kernel numbers processes up to 2^22 (proc_sys_kernel(5)); beginnings of ids that are all digits are longer. */
const PID = /^[1-9]\d{0,6}$/;

export const fdsCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('fds <pid|container>'))
    .description('what the open file descriptors of a process or a container are: kinds, deleted files, paths, sockets')
    .addHelpText('after', HELP)
    .action(async (what: string, { json, ...server }: ReadOptions) => {
      const of = PID.test(what) ? `processes/${what}` : `containers/${encodeURIComponent(what)}`;
      const reply = await withClient(server, io, (client) => client.get(`/jdos/v1/${of}/fds`));
      if (json) return io.out(JSON.stringify(reply));
      for (const line of fdsLines(Fds.parse(reply), io)) io.out(line);
    });
};

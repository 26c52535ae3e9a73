// `$(NAME)` in commands, arguments and variables, as Kubernetes expands it (third_party/forked/golang/expansion).

/** `$$(NAME)` stays as `$(NAME)`; a reference to what is not set stays as it is written. */
export const expand = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : ((Object.hasOwn(env, name) ? env[name] : undefined) ?? whole),
  );

// Keeps reading what the kernel goes on writing, between collections too: often while much comes, seldom while it is quiet.

/**
 * How long to wait for the next look, in milliseconds: when it is quiet, and when there is more to read. From the one to the other the
 * wait doubles from look to look: one pause of who writes is not yet quiet.
 */
interface Pace {
  readonly quietMs: number;
  readonly busyMs: number;
}

/** Something that is read whenever it has something. */
interface LiveSource {
  /** Reads at once, and from then on by itself. */
  begin(): void;
  /** Throws what a look between collections threw, once; after it nothing is read until {@link begin}. */
  tellFailure(): void;
  /** Reads no more. */
  end(): void;
}

/** `look` reads what is there for a short while and says whether there is more; `onEnd` gives back what it reads from. */
export function openLiveSource(look: () => boolean, onEnd: () => void, { quietMs, busyMs }: Pace): LiveSource {
  let failure: { readonly error: unknown } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let waitMs = quietMs;
  const end = (): void => {
    clearTimeout(timer);
    onEnd();
  };
  const beat = (): void => {
    try {
      waitMs = look() ? busyMs : Math.min(quietMs, 2 * waitMs);
      timer = setTimeout(beat, waitMs).unref();
    } catch (error) {
      failure = { error };
      end();
    }
  };
  return {
    begin: beat,
    tellFailure() {
      const told = failure;
      failure = undefined;
      if (told !== undefined) throw told.error;
    },
    end,
  };
}

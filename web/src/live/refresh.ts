import type { QueryClient, QueryKey } from "@tanstack/react-query";

const PAUSE_MS = 500;

/**
 * Collects what events made out of date and has it read again at most twice a second, so that a
 * burst of a thousand events costs one request per query and not a thousand.
 */
export class Refresh {
  #keys = new Map<string, QueryKey>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  readonly #client: QueryClient;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  add(...keys: QueryKey[]): void {
    for (const key of keys) this.#keys.set(JSON.stringify(key), key);
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#flushedAt + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    const keys = [...this.#keys.values()];
    this.#keys.clear();
    // A request under way may have left before the event: it is asked again once it is answered.
    // Nothing is cancelled halfway, or a burst of events would let none come to its end.
    const tooEarly = keys.filter((queryKey) => this.#client.isFetching({ queryKey }) > 0);
    for (const queryKey of keys) {
      void this.#client.invalidateQueries({ queryKey }, { cancelRefetch: false });
    }
    if (tooEarly.length > 0) this.add(...tooEarly);
  }
}

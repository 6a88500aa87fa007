/**
 * Clients, ranked by the number of their connections.
 *
 * @module
 */

/** A client with connections. */
export interface RankedClient<T> {
  readonly name: string;
  /** The number of its connections. */
  readonly size: number;
  /** The connection that was entered last. */
  readonly newest: Place<T>;
}

/** The place of a connection among those of its client. */
export interface Place<T> {
  readonly client: RankedClient<T>;
  readonly conn: T;
}

/** A client, and its index in its rank; -1 if it is in none. */
class Client<T> implements RankedClient<T> {
  readonly name: string;
  size = 0;
  /** The most that it has had, or wanted, at a time. */
  peak = 0;
  newest!: Link<T>;
  index = -1;
  spared = false;

  constructor(name: string) {
    this.name = name;
  }
}

/** The connections of a client are a list: any of them may leave, and the newest is asked for. */
class Link<T> implements Place<T> {
  readonly client: Client<T>;
  readonly conn: T;
  older: Link<T> | undefined = undefined;
  newer: Link<T> | undefined = undefined;

  constructor(client: Client<T>, conn: T) {
    this.client = client;
    this.conn = conn;
  }
}

/**
 * Finds the client that has most connections. Every operation but {@linkcode RankedClients.rerank} takes the same time however
 * many there are: a client changes its rank by one at a time.
 *
 * A client is ranked once it has had, or wanted, more than `floor` connections at a time, until it has none.
 */
export class RankedClients<T> {
  readonly #clients = new Map<string, Client<T>>();
  /** The ranked clients, by the number of their connections. */
  readonly #ranks: (Client<T>[] | undefined)[] = [];
  #highest = 0;
  #floor = 0;

  /** The number of clients. */
  get size(): number {
    return this.#clients.size;
  }

  /** A client that no other has more connections than. Absent if none is ranked. */
  get most(): RankedClient<T> | undefined {
    return this.#ranks[this.#highest]?.at(-1);
  }

  /** Enters a connection. */
  add(name: string, conn: T): Place<T> {
    let client = this.#clients.get(name);
    if (client === undefined) this.#clients.set(name, client = new Client(name));
    const link = new Link(client, conn);
    const { newest } = client;
    // Absent in a new client.
    if (newest !== undefined) {
      link.older = newest;
      newest.newer = link;
    }
    client.newest = link;
    this.#resize(client, client.size + 1);
    return link;
  }

  /** Takes a connection out, once. */
  delete(place: Place<T>): void {
    const { client, older, newer } = place as Link<T>;
    if (newer === undefined) client.newest = older!;
    else newer.older = older;
    if (older !== undefined) older.newer = newer;
    this.#resize(client, client.size - 1);
    if (client.size === 0) this.#clients.delete(client.name);
  }

  /** Notes that a client wants to have so many connections. */
  want(name: string, size: number): void {
    const client = this.#clients.get(name);
    if (client === undefined || client.peak >= size) return;
    client.peak = size;
    if (client.index < 0) this.#enter(client);
  }

  /** Ranks a client no longer, until {@linkcode RankedClients.rerank}. */
  spare(client: RankedClient<T>): void {
    (client as Client<T>).spared = true;
    this.#leave(client as Client<T>);
    this.#lower();
  }

  /** Ranks all clients anew, those that were spared, too. */
  rerank(floor: number): void {
    this.#floor = floor;
    for (const client of this.#clients.values()) {
      client.spared = false;
      this.#leave(client);
      this.#enter(client);
    }
    this.#lower();
  }

  #resize(client: Client<T>, size: number): void {
    this.#leave(client);
    client.size = size;
    if (size > client.peak) client.peak = size;
    this.#enter(client);
    this.#lower();
  }

  #enter(client: Client<T>): void {
    if (client.peak <= this.#floor || client.spared || client.size === 0) return;
    client.index = (this.#ranks[client.size] ??= []).push(client) - 1;
    if (client.size > this.#highest) this.#highest = client.size;
  }

  #leave(client: Client<T>): void {
    if (client.index < 0) return;
    const rank = this.#ranks[client.size]!;
    const last = rank.pop()!;
    if (last !== client) {
      rank[client.index] = last;
      last.index = client.index;
    }
    client.index = -1;
  }

  /** Not before a client that has left its rank has entered the next one, so that it is a step. */
  #lower(): void {
    while (this.#highest > 0 && !this.#ranks[this.#highest]?.length) this.#highest--;
  }
}

/**
 * What stands between a server and its connections.
 *
 * @module
 */

import { limitedAlready } from "../admission/limit_once.ts";
import { OPEN_CONN, type Recorded } from "../admission/open_conn.ts";
import type { Admitter } from "../admission/port.ts";
import { type GatePort, GatePorts } from "./gate_ports.ts";
import type { ServerConns } from "./server_conns.ts";
import { watchEvent } from "./server_deadlines.ts";
import type { ServerLike, ServerSocket } from "./server_like.ts";
import { isRefusedTls, type ServerPort } from "./server_port.ts";
import { type Exchange, exchangeOf } from "./server_request.ts";

/** The gates of servers that have limiters, or had. */
const gates = new WeakMap<ServerLike, ServerGate>();

/** An event and its arguments. */
type Event = readonly unknown[];

/**
 * Stands in front of a server's `emit`: a listener, even the first, could not keep an event from the others. There is one
 * gate for each server, however many limiters it has and however often they come and go.
 *
 * Tracers and tests put the `emit` back that was there before. So the first listener for what is limited looks whether the
 * event has come by way of the gate, and otherwise sets `emit` anew.
 */
export class ServerGate {
  readonly #connections = new GatePorts<ServerSocket>();
  readonly #requests = new GatePorts<Exchange>();
  /** Connections that need its events, of each limiter that the server has, or had when some began that are still open. */
  readonly #watched: ServerConns[] = [];
  readonly #attached = new Set<ServerConns>();
  /**
   * By pending socket, the events that are held back. The first is `"connection"`. Node and Deno emit no others before it;
   * Bun does: `"secureConnection"`, and on HTTP servers `"request"`, `"upgrade"`, `"connect"`, `"checkContinue"`.
   */
  readonly #held = new Map<unknown, Event[]>();

  readonly #server: ServerLike;
  /** What has been set as the server's `emit`. */
  readonly #emits = new WeakSet<ServerLike["emit"]>();
  /** The first argument of the event that is being emitted by way of the gate. */
  #passing: unknown;
  /** Listens for requests that have not come by way of the gate. Absent before there are limits for requests. */
  #guard: ((first: unknown) => void) | undefined;

  /** The gate of a server, which is made on the first call. Others may have put the server's `emit` back since. */
  static of(server: ServerLike): ServerGate {
    let gate = gates.get(server);
    if (gate === undefined) gates.set(server, gate = new ServerGate(server));
    gate.#install();
    return gate;
  }

  private constructor(server: ServerLike) {
    this.#server = server;
    listen(server, "prependListener", "connection", (socket: ServerSocket & Recorded) => {
      if (socket === this.#passing || this.#connections.empty && this.#requests.empty) return;
      this.#install();
      // A listener that passes a socket on later has had it by way of the gate. Others listen, too, and would have an error
      // with a socket that is closed by now; so it is offered once they have seen it.
      if (socket[OPEN_CONN] === undefined) queueMicrotask(() => this.#connections.offer(socket));
    });
  }

  /** Sets the server's `emit`, unless it is set. */
  #install(): void {
    const server = this.#server;
    const { emit: current } = server;
    if (this.#emits.has(current)) return;
    // That of the prototype may be replaced later.
    const own = Object.hasOwn(server, "emit") ? current : undefined;
    const apply = (target: ServerLike, event: ArrayLike<unknown>): boolean => {
      const before = this.#passing;
      this.#passing = event[1];
      try {
        return Reflect.apply(own ?? Object.getPrototypeOf(server).emit, target, event);
      } finally {
        this.#passing = before;
      }
    };
    const connections = this.#connections;
    const requests = this.#requests;
    const watched = this.#watched;
    const held = this.#held;
    const emitAdmitted = (event: Event) => {
      if (watched.length > 0) watchEvent(event[0], event[1], event[2], watched);
      return apply(server, event);
    };
    const emitHeld = (event: Event) => isStopped(requests, event, emitAdmitted) || emitAdmitted(event);
    const hold = (socket: ServerSocket, admitted: Promise<boolean>, event: Event) =>
      this.#hold(socket, admitted, event, emitHeld);
    // Where two of these stand one behind the other, with a wrapper in between, the first has offered it.
    const isOffered = (socket: unknown) => socket === this.#passing;
    const emit = function (this: ServerLike, event: unknown, first: ServerSocket, second: object): boolean {
      if (event === "connection") {
        const admitted = connections.empty || isOffered(first) || connections.offer(first);
        if (admitted === false) return true;
        if (admitted !== true) return hold(first, admitted, [...arguments]);
      } else if (held.size > 0 && isHeld(held, first, arguments)) {
        return true;
      } else if (event === "tlsClientError" && isRefusedTls(second)) {
        return true;
      } else if (isStopped(requests, arguments, emitAdmitted)) {
        return true;
      }
      if (watched.length > 0) watchEvent(event, first, second, watched);
      // As many as there are, without making an array for each event.
      return apply(this, arguments);
    };
    this.#emits.add(server.emit = emit as ServerLike["emit"]);
  }

  /** @throws {TypeError} For a limiter that the server has already. */
  add(port: ServerPort): void {
    this.#check(port.limiter);
    this.#connections.add(port);
    const conns = port.openConns;
    if (!port.needsEvents) return;
    this.#forgetDetached();
    this.#watched.push(conns);
    this.#attached.add(conns);
  }

  /** Connections that are open keep their deadlines. */
  remove(port: ServerPort): void {
    this.#connections.remove(port);
    this.#attached.delete(port.openConns);
    this.#forgetDetached();
  }

  #forgetDetached(): void {
    const kept = this.#watched.filter((conns) => conns.size > 0 || this.#attached.has(conns));
    this.#watched.splice(0, Infinity, ...kept);
  }

  /** @throws {TypeError} For a limiter that the server has already. */
  addForRequests(port: GatePort<Exchange>): void {
    this.#check(port.limiter);
    if (this.#guard === undefined) {
      this.#guard = (first) => {
        if (first !== this.#passing && !this.#requests.empty) this.#install();
      };
      // Other events are emitted, and other streams answered, for servers that listen to them only. Behind the handler, which
      // people find as the first listener.
      listen(this.#server, "on", "updateSettings" in this.#server ? "stream" : "request", this.#guard);
    }
    this.#requests.add(port);
  }

  removeForRequests(port: GatePort<Exchange>): void {
    this.#requests.remove(port);
  }

  /** A limiter would count a connection, and its first request once more. */
  #check(limiter: Admitter): void {
    if (this.#connections.has(limiter) || this.#requests.has(limiter)) throw limitedAlready("server");
  }

  /** Holds the events of a pending socket, and emits them when it has been admitted. */
  #hold(socket: ServerSocket, admitted: Promise<boolean>, event: Event, emit: (event: Event) => void): true {
    const events: Event[] = [event];
    this.#held.set(socket, events);
    admitted.then((admitted) => {
      this.#held.delete(socket);
      if (!admitted) return;
      const handOff = events.length > 1 ? takeBack(socket) : undefined;
      emitAlone(emit, event);
      handOff?.();
      for (const event of events.slice(1)) emitAlone(emit, event);
    });
    return true;
  }
}

/**
 * Bun's servers parse the data of a tunnel as HTTP if `"connection"` is emitted after `"upgrade"` or `"connect"` has been
 * held. So the socket is put back to its state before that event. Returns the function that undoes this.
 */
function takeBack(socket: object): (() => void) | undefined {
  const handedOff = Object.getOwnPropertySymbols(socket).find((key) => key.description === HANDED_OFF);
  if (handedOff === undefined) return undefined;
  const set = (value: unknown) => Reflect.set(socket, handedOff, value);
  const value = Reflect.get(socket, handedOff);
  set(false);
  return () => set(value);
}

/** The description of the symbol by which Bun marks a socket that has become a tunnel. */
const HANDED_OFF = "http.server.socketHandedOff";

/** Emits an event. An exception of a listener is uncaught, as usual, and the next event is emitted all the same. */
function emitAlone(emit: (event: Event) => void, event: Event): void {
  try {
    emit(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

type Listen = (event: string, listener: (first: never) => void) => unknown;

/** Adds a listener where the server has this way to do so. */
function listen(server: object, by: "on" | "prependListener", event: string, listener: (first: never) => void): void {
  (server as Partial<Record<typeof by, Listen>>)[by]?.(event, listener);
}

/** Holds an event that is about a pending socket: it, or a request that has come by it, is the first argument. */
function isHeld(held: ReadonlyMap<unknown, Event[]>, first: unknown, event: Iterable<unknown>): boolean {
  const events = held.get(first) ?? held.get((first as { readonly socket?: unknown } | undefined)?.socket);
  events?.push([...event]);
  return events !== undefined;
}

/** Whether an event announces a request that is refused, or that is emitted when it has been admitted. */
function isStopped(requests: GatePorts<Exchange>, event: ArrayLike<unknown>, emit: (event: Event) => void): boolean {
  if (requests.empty) return false;
  const exchange = exchangeOf(event[0], event[1], event[2]);
  if (exchange === undefined) return false;
  const admitted = requests.offer(exchange);
  if (admitted === true || admitted === false) return !admitted;
  const held = Array.from(event);
  admitted.then((admitted) => admitted && emitAlone(emit, held));
  return true;
}

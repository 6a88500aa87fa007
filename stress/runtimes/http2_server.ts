/**
 * A server of `node:http2` over TLS, without limits.
 *
 * @module
 */

import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { certificate } from "../../tests/support/net.ts";

const server = createSecureServer(certificate(), (_request, response) => response.end("hello\n"));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));

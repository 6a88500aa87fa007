/**
 * TLVs: what a header of the PROXY protocol says besides addresses, each with a type, a length and a value.
 *
 * @module
 */

/** The length of a type and a length. */
export const TLV_HEADER = 3;

/** The type of the checksum. */
export const CRC32C = 0x03;

const ALPN = 0x01;
const AUTHORITY = 0x02;
const UNIQUE_ID = 0x05;
const SSL = 0x20;
const SSL_VERSION = 0x21;
const SSL_CN = 0x22;
const SSL_CIPHER = 0x23;
const SSL_SIG_ALG = 0x24;
const SSL_KEY_ALG = 0x25;
const SSL_CLIENT_CERT = 0x28;
const GCP = 0xe0;
const AWS = 0xea;
const AZURE = 0xee;

/** The first byte of a value of AWS or Azure, which says what the rest is. */
const AWS_VPC_ENDPOINT_ID = 1;
const AZURE_LINK_ID = 1;

/** The bits of {@linkcode ProxySsl.flags}. */
const CLIENT_SSL = 1;
const CLIENT_CERT_CONN = 2;
const CLIENT_CERT_SESS = 4;

/** What clients have put into TLS need not be UTF-8. Such a value is not made to look like another. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The TLVs of a header, in their order. They are looked up when asked for. A type may occur several times; a value that is
 * asked for by its type or name is then the first.
 */
export class ProxyTlvs implements Iterable<readonly [type: number, value: Uint8Array]> {
  readonly #bytes: Uint8Array;

  /**
   * Creates a view of bytes.
   *
   * @param bytes TLVs that fill it.
   */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Iterates over types and values. The values are copies. */
  *[Symbol.iterator](): IterableIterator<readonly [type: number, value: Uint8Array]> {
    const bytes = this.#bytes;
    for (let at = 0; at < bytes.length;) {
      const value = at + TLV_HEADER;
      const end = value + (bytes[at + 1]! << 8 | bytes[at + 2]!);
      yield [bytes[at]!, bytes.slice(value, end)];
      at = end;
    }
  }

  /** The first value of a type. */
  get(type: number): Uint8Array | undefined {
    for (const [other, value] of this) if (other === type) return value;
    return undefined;
  }

  /** All values of a type. */
  getAll(type: number): Uint8Array[] {
    return [...this].filter(([other]) => other === type).map(([, value]) => value);
  }

  /** The protocol of the application that was agreed on, such as `h2`; absent if it is not UTF-8. */
  get alpn(): string | undefined {
    return this.#text(ALPN);
  }

  /** The host name that the client has asked for, such as by SNI; absent if it is not UTF-8. */
  get authority(): string | undefined {
    return this.#text(AUTHORITY);
  }

  /** The proxy's id of the connection. */
  get uniqueId(): Uint8Array | undefined {
    return this.get(UNIQUE_ID);
  }

  /** What is known of TLS between client and proxy; absent if it is malformed. */
  get ssl(): ProxySsl | undefined {
    const value = this.get(SSL);
    return value === undefined ? undefined : sslOf(value);
  }

  /** AWS: the id of the VPC endpoint by which the client has come. */
  get awsVpcEndpointId(): string | undefined {
    const value = this.get(AWS);
    return value?.[0] === AWS_VPC_ENDPOINT_ID ? textOf(value.subarray(1)) : undefined;
  }

  /** Azure: the id of the private endpoint's link by which the client has come. */
  get azurePrivateLinkId(): number | undefined {
    const value = this.get(AZURE);
    if (value?.length !== 5 || value[0] !== AZURE_LINK_ID) return undefined;
    return new DataView(value.buffer, value.byteOffset).getUint32(1, true);
  }

  /** Google Cloud: the id of the Private Service Connect connection by which the client has come. */
  get gcpPscConnectionId(): bigint | undefined {
    const value = this.get(GCP);
    return value?.length === 8 ? new DataView(value.buffer, value.byteOffset).getBigUint64(0) : undefined;
  }

  #text(type: number): string | undefined {
    const value = this.get(type);
    return value && textOf(value);
  }
}

/** TLS between the client and the proxy. Each text is absent if it is not UTF-8. */
export interface ProxySsl {
  /** The bits by which the proxy says how the client has come. */
  readonly flags: number;
  /** Whether the client has come by TLS. */
  readonly tls: boolean;
  /** Whether it has shown a certificate, on this connection or on one before of the same session. */
  readonly certificate: boolean;
  /** Whether it has shown one and the proxy has found it valid. */
  readonly verified: boolean;
  /** The version, such as `TLSv1.3`. */
  readonly version: string | undefined;
  /** The common name in the client's certificate. */
  readonly commonName: string | undefined;
  /** The cipher, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string | undefined;
  /** The signature algorithm of the proxy's certificate. */
  readonly signatureAlgorithm: string | undefined;
  /** The key algorithm of the proxy's certificate. */
  readonly keyAlgorithm: string | undefined;
  /** The client's certificate, in DER. */
  readonly clientCertificate: Uint8Array | undefined;
  /** All of the above by their types, and what has no name here. */
  readonly tlvs: ProxyTlvs;
}

/** Parses one level. What is nested in it stays bytes until somebody asks. */
function sslOf(value: Uint8Array): ProxySsl | undefined {
  const bytes = value.subarray(5);
  if (value.length < 5 || !isFramed(bytes)) return undefined;
  const tlvs = new ProxyTlvs(bytes);
  const text = (type: number) => {
    const value = tlvs.get(type);
    return value && textOf(value);
  };
  const flags = value[0]!;
  const certificate = (flags & (CLIENT_CERT_CONN | CLIENT_CERT_SESS)) !== 0;
  return {
    flags,
    tls: (flags & CLIENT_SSL) !== 0,
    certificate,
    verified: certificate && (value[1]! | value[2]! | value[3]! | value[4]!) === 0,
    version: text(SSL_VERSION),
    commonName: text(SSL_CN),
    cipher: text(SSL_CIPHER),
    signatureAlgorithm: text(SSL_SIG_ALG),
    keyAlgorithm: text(SSL_KEY_ALG),
    clientCertificate: tlvs.get(SSL_CLIENT_CERT),
    tlvs,
  };
}

function isFramed(bytes: Uint8Array): boolean {
  let at = 0;
  while (at + TLV_HEADER <= bytes.length) at += TLV_HEADER + (bytes[at + 1]! << 8 | bytes[at + 2]!);
  return at === bytes.length;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

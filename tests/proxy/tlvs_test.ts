import { test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { ProxyTlvs } from "../../src/proxy/tlvs.ts";
import { bytes, concat, encode, type Tlv, TLVS } from "../support/proxy/headers.ts";

const of = (...tlvs: readonly Tlv[]) => new ProxyTlvs(encode(tlvs));

test("ProxyTlvs has all TLVs in their order, as bytes that are the caller's own", () => {
  const tlvs = of(...TLVS);
  assertEquals([...tlvs], [...TLVS]);
  tlvs.get(0x05)!.fill(0);
  assertEquals(tlvs.uniqueId, bytes("a unique id"));
  assertEquals([tlvs.get(0x77), tlvs.getAll(0x77), tlvs.getAll(0x01)], [undefined, [], [bytes("h2")]]);
});

test("ProxyTlvs names what it knows", () => {
  const { alpn, authority, uniqueId, ssl, awsVpcEndpointId, azurePrivateLinkId, gcpPscConnectionId } = of(...TLVS);
  assertEquals([alpn, authority, uniqueId], ["h2", "shop.example", bytes("a unique id")]);
  assertEquals([awsVpcEndpointId, azurePrivateLinkId, gcpPscConnectionId], [
    "vpce-08d2bf15fac5001c9",
    0x12345678,
    123_456n,
  ]);
  const { flags, tls, certificate, verified, version, commonName, cipher } = ssl!;
  assertEquals([flags, tls, certificate, verified], [7, true, true, true]);
  assertEquals([version, commonName, cipher], ["TLSv1.3", "somebody", undefined]);
});

test("ProxyTlvs has nothing under a name that has not come", () => {
  const { alpn, authority, uniqueId, ssl, awsVpcEndpointId, azurePrivateLinkId, gcpPscConnectionId } = of();
  assertEquals(
    [alpn, authority, uniqueId, ssl, awsVpcEndpointId, azurePrivateLinkId, gcpPscConnectionId].filter((it) =>
      it !== undefined
    ),
    [],
  );
});

test("ProxyTlvs.ssl is absent where it is malformed, and nothing else is", () => {
  for (
    const value of [[], [1, 0, 0, 0], [1, 0, 0, 0, 0, 9], [1, 0, 0, 0, 0, 0x21, 0, 9, 65], [1, 0, 0, 0, 0, 0x21, 0]]
  ) {
    const tlvs = of([0x20, concat(value)], [0x02, bytes("shop.example")]);
    assertEquals([tlvs.ssl, tlvs.authority], [undefined, "shop.example"]);
  }
});

test("ProxyTlvs.ssl says verified only of a certificate that has come", () => {
  const ssl = (...value: number[]) => of([0x20, concat(value)]).ssl!;
  assertEquals([ssl(0, 0, 0, 0, 0).tls, ssl(1, 0, 0, 0, 0).tls], [false, true]);
  assertEquals([ssl(1, 0, 0, 0, 0).certificate, ssl(1, 0, 0, 0, 0).verified], [false, false]);
  assertEquals([ssl(3, 0, 0, 0, 0).verified, ssl(5, 0, 0, 0, 0).verified], [true, true]);
  for (let at = 1; at < 5; at++) assertStrictEquals(ssl(...[3, 0, 0, 0, 0].fill(1, at, at + 1)).verified, false);
});

test("ProxyTlvs does not guess what a cloud says in another form", () => {
  const tlvs = of([0xea, bytes("\x02other")], [0xee, concat([2, 1, 2, 3, 4])], [0xe0, new Uint8Array(7)]);
  assertEquals([tlvs.awsVpcEndpointId, tlvs.azurePrivateLinkId, tlvs.gcpPscConnectionId], [
    undefined,
    undefined,
    undefined,
  ]);
  assertStrictEquals(of([0xee, concat([1, 1, 2, 3])]).azurePrivateLinkId, undefined);
  assertStrictEquals(of([0xea, bytes("")]).awsVpcEndpointId, undefined);
});

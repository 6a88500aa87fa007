/**
 * The checksum CRC-32C. (RFC 9260, appendix A)
 *
 * @module
 */

/** The polynomial, with its bits in reverse. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? byte >>> 1 ^ POLYNOMIAL : byte >>> 1;
  return byte;
});

/**
 * The checksum of bytes, as an unsigned number.
 *
 * @param zeros The index of four bytes that count as zeros: those that hold the checksum.
 */
export function crc32c(bytes: Uint8Array, zeros: number = bytes.length): number {
  const resume = zeros + 4;
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) {
    const byte = i < zeros || i >= resume ? bytes[i]! : 0;
    crc = crc >>> 8 ^ TABLE[(crc ^ byte) & 0xff]!;
  }
  return ~crc >>> 0;
}

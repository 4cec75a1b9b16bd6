//! What bytes will take once they are compressed, near enough to choose among shapes: the same numbers as Python's
//! `blocks/weighing.py`, which says why it is done.

const std = @import("std");

const match_bytes = 4;
const slot_bits = 12;
const hash_factor: u32 = 2_654_435_761;
const fraction_bits = 8;
const reference_bits = 6;
const new_byte_bits = 5;
const mantissa_bits = 15;

/// A byte as it is.
pub const plain_byte: u64 = 8 << fraction_bits;

const none: u32 = 0xffff_ffff;

var newest: [1 << slot_bits]u32 = undefined;

/// Logarithms of small numbers, once they were asked for; 0 is not known yet.
var known: [4096]u16 = @splat(0);

pub fn weight(data: []const u8) u64 {
    @setRuntimeSafety(false);
    var counts: [256]u32 = @splat(0);
    var singles: u64 = data.len;
    var bits: u64 = 0;
    var at: usize = 0;
    if (data.len >= match_bytes) {
        @memset(&newest, none);
        while (at + match_bytes <= data.len) {
            const word = std.mem.readInt(u32, data[at..][0..match_bytes], .little);
            const slot = (word *% hash_factor) >> (32 - slot_bits);
            const before = newest[slot];
            newest[slot] = @intCast(at);
            if (before == none or std.mem.readInt(u32, data[before..][0..match_bytes], .little) != word) {
                counts[data[at]] += 1;
                at += 1;
                continue;
            }
            var length: usize = match_bytes;
            while (at + length < data.len and data[before + length] == data[at + length]) length += 1;
            bits += reference_bits + bitLength(at - before) + bitLength(length);
            at += length;
            singles -= length;
        }
    }
    for (data[at..]) |byte| counts[byte] += 1;
    return (bits << fraction_bits) + entropy(&counts, singles);
}

/// Bits of so many bytes that come so often each, and of saying which they are.
fn entropy(counts: *const [256]u32, total: u64) u64 {
    var found = total * log2(total);
    var different: u64 = 0;
    for (counts) |count| {
        if (count == 0) continue;
        found -= count * log2(count);
        different += 1;
    }
    return found + different * (new_byte_bits << fraction_bits);
}

/// The logarithm to the base of 2, in fractions, rounded down; 0 of 0.
fn log2(number: u64) u64 {
    if (number <= 1) return 0;
    if (number < known.len) {
        const place: usize = @intCast(number);
        if (known[place] == 0) known[place] = @intCast(computed(number));
        return known[place];
    }
    return computed(number);
}

/// By squaring a mantissa of 16 bits, a bit of the fraction at a time.
fn computed(number: u64) u64 {
    const whole = bitLength(number) - 1;
    var mantissa = if (whole >= mantissa_bits) number >> @intCast(whole - mantissa_bits) else number << @intCast(mantissa_bits - whole);
    var found = whole;
    for (0..fraction_bits) |_| {
        mantissa = mantissa * mantissa >> mantissa_bits;
        found <<= 1;
        if (mantissa >> (mantissa_bits + 1) != 0) {
            mantissa >>= 1;
            found += 1;
        }
    }
    return found;
}

fn bitLength(number: u64) u64 {
    return 64 - @as(u64, @clz(number));
}

//! Numbers as text, in the form of Python's `repr`: the shortest that reads back as the same float64, and integers
//! of any length. Callers have room for `max_float_bytes`, or for `longBytes`, at `out`.

const std = @import("std");
const Fault = @import("faults.zig").Fault;

const float_text = std.fmt.float;

pub const max_float_bytes = 24;
pub const max_int_bytes = 20;

/// Longer ints are left to Python, whose own bound is 4,300 digits.
pub const max_long_bytes = 1_786;

/// Decimals of at most 15 digits are read back as different floats, each as its own: no shorter text of such a
/// float exists than the decimal itself without zeros at its end (IEEE 754: 15 digits survive a float64).
const max_plain: f64 = 1e15;
const min_plain: f64 = 1e-4;
const max_plain_places = 15;

const powers_of_10 = blk: {
    var powers: [max_plain_places + 1]f64 = undefined;
    powers[0] = 1;
    for (1..powers.len) |place| powers[place] = powers[place - 1] * 10;
    break :blk powers;
};

/// A finite float. `guess` is how many decimals the last one had: columns of a sensor have mostly the same.
pub fn writeFloat(out: [*]u8, float: f64, guess: *u8) usize {
    var at: usize = 0;
    if (@as(i64, @bitCast(float)) < 0) {
        out[0] = '-';
        at = 1;
    }
    const magnitude = @abs(float);
    if (magnitude == 0) {
        out[at..][0..3].* = "0.0".*;
        return at + 3;
    }
    const scaled = magnitude * powers_of_10[guess.*];
    if (magnitude >= min_plain and scaled < max_plain) {
        const rounded: u64 = @intFromFloat(scaled + 0.5);
        if (@as(f64, @floatFromInt(rounded)) / powers_of_10[guess.*] == magnitude and rounded < 1_000_000_000_000_000) {
            return at + writePlain(out + at, rounded, guess.*);
        }
    }
    const found = float_text.binaryToDecimal(u64, @bitCast(magnitude), 52, 11, false, float_text.Backend64_TablesFull);
    guess.* = if (found.exponent > 0) 0 else @intCast(@min(max_plain_places, -found.exponent));
    return at + writeDecimal(out + at, found.mantissa, found.exponent);
}

/// Digits after the point of the shortest text of a finite float, however it is written. `guess` as above.
pub fn decimalsOf(float: f64, guess: *u8) usize {
    const magnitude = @abs(float);
    if (magnitude == 0) return 0;
    const scaled = magnitude * powers_of_10[guess.*];
    if (magnitude >= min_plain and scaled < max_plain) {
        const rounded: u64 = @intFromFloat(scaled + 0.5);
        if (@as(f64, @floatFromInt(rounded)) / powers_of_10[guess.*] == magnitude and rounded < 1_000_000_000_000_000) {
            var digits = rounded;
            var places: usize = guess.*;
            while (places != 0 and digits % 10 == 0) : (places -= 1) digits /= 10;
            return places;
        }
    }
    const found = float_text.binaryToDecimal(u64, @bitCast(magnitude), 52, 11, false, float_text.Backend64_TablesFull);
    var digits = found.mantissa;
    var exponent = found.exponent;
    while (digits % 10 == 0) : (exponent += 1) digits /= 10;
    guess.* = if (exponent > 0) 0 else @intCast(@min(max_plain_places, -exponent));
    return if (exponent > 0) 0 else @intCast(-exponent);
}

/// digits / 10^places, which is at least 0.0001.
fn writePlain(out: [*]u8, digits: u64, places: u8) usize {
    var rest = digits;
    var decimals: usize = places;
    while (decimals != 0 and rest % 10 == 0) : (decimals -= 1) rest /= 10;
    return writeFixed(out, rest, decimals);
}

/// digits / 10^decimals, with at least one digit after the point.
fn writeFixed(out: [*]u8, digits: u64, decimals: usize) usize {
    const count = digitCount(digits);
    if (decimals == 0) {
        writeDigits(out, digits, count);
        out[count..][0..2].* = ".0".*;
        return count + 2;
    }
    if (count > decimals) {
        const whole = digits / integer_powers[decimals];
        writeDigits(out, whole, count - decimals);
        out[count - decimals] = '.';
        writeDigits(out + count - decimals + 1, digits - whole * integer_powers[decimals], decimals);
        return count + 1;
    }
    out[0..2].* = "0.".*;
    writeDigits(out + 2, digits, decimals);
    return 2 + decimals;
}

/// digits * 10^exponent: fixed from 0.0001 to below 10^16, with an exponent of at least two digits elsewhere.
fn writeDecimal(out: [*]u8, mantissa: u64, power: i32) usize {
    var digits = mantissa;
    var exponent = power;
    while (digits % 10 == 0) : (exponent += 1) digits /= 10;
    const count = digitCount(digits);
    const leading = exponent + @as(i32, @intCast(count)) - 1;
    if (leading >= -4 and leading < 16) {
        if (exponent <= 0) return writeFixed(out, digits, @intCast(-exponent));
        const zeros: usize = @intCast(exponent);
        writeDigits(out, digits, count);
        @memset(out[count..][0..zeros], '0');
        out[count + zeros ..][0..2].* = ".0".*;
        return count + zeros + 2;
    }
    // The point goes where the first digit is, and that before it.
    writeDigits(out + 1, digits, count);
    out[0] = out[1];
    var at: usize = 1;
    if (count > 1) {
        out[1] = '.';
        at = count + 1;
    }
    out[at..][0..2].* = if (leading < 0) "e-".* else "e+".*;
    at += 2;
    const size: u64 = @abs(leading);
    if (size < 10) {
        out[at] = '0';
        at += 1;
    }
    return at + writeUnsigned(out + at, size);
}

/// An integer of 64 bits.
pub fn writeInt(out: [*]u8, number: i64) usize {
    if (number >= 0) return writeUnsigned(out, @intCast(number));
    out[0] = '-';
    return 1 + writeUnsigned(out + 1, @abs(number));
}

pub fn writeUnsigned(out: [*]u8, number: u64) usize {
    const count = digitCount(number);
    writeDigits(out, number, count);
    return count;
}

const integer_powers = blk: {
    var powers: [max_int_bytes]u64 = undefined;
    powers[0] = 1;
    for (1..powers.len) |place| powers[place] = powers[place - 1] * 10;
    break :blk powers;
};

/// How many digits a number has; one of 0.
fn digitCount(number: u64) usize {
    // 1233 / 4096 is the logarithm of 2 to the base of 10, near enough for 64 bits.
    const bits: usize = 64 - @as(usize, @clz(number | 1));
    const guess = bits * 1233 >> 12;
    return guess + @intFromBool(number >= integer_powers[guess] or guess == 0);
}

/// The last `count` digits of a number, zeros in front. Nothing is copied: short copies of a length that is known
/// only when they are made cost more in WebAssembly than the digits.
fn writeDigits(out: [*]u8, number: u64, count: usize) void {
    @setRuntimeSafety(false);
    var rest = number;
    var at = count;
    // Eight digits at a time are divided as 32 bits, which costs a third.
    while (at > 8) {
        const low: u32 = @intCast(rest % 100_000_000);
        rest /= 100_000_000;
        at -= 8;
        writePadded(8, out[at..][0..8], low);
    }
    var small: u32 = @intCast(rest % 100_000_000);
    while (at >= 2) {
        at -= 2;
        out[at..][0..2].* = std.fmt.digits2(@intCast(small % 100));
        small /= 100;
    }
    if (at == 1) out[0] = '0' + @as(u8, @intCast(small % 10));
}

/// Exactly `count` digits, an even number of them, zeros in front.
pub fn writePadded(comptime count: usize, out: *[count]u8, number: u32) void {
    var rest = number;
    comptime var at = count;
    inline while (at > 0) {
        at -= 2;
        out[at..][0..2].* = std.fmt.digits2(@intCast(rest % 100));
        rest /= 100;
    }
}

/// Room for the text of a longer int of so many bytes.
pub fn longBytes(size: usize) usize {
    return 2 + (size * 5) / 2 + 9;
}

const limb_digits = 9;
const limb_base = 1_000_000_000;

/// A longer int: two's complement, lowest byte first.
pub fn writeLong(out: [*]u8, blob: []const u8) Fault!usize {
    if (blob.len > max_long_bytes) return error.TooLong;
    var limbs: [(max_long_bytes + 4) / 4]u32 = @splat(0);
    const used = magnitudeOf(blob, &limbs);
    var groups: [(max_long_bytes * 5) / 2 / limb_digits + 2]u32 = undefined;
    var count: usize = 0;
    var top = used;
    while (top > 0 or count == 0) {
        groups[count] = divideBy(limbs[0..top], limb_base);
        count += 1;
        while (top > 0 and limbs[top - 1] == 0) top -= 1;
    }
    var at: usize = 0;
    if (blob.len != 0 and blob[blob.len - 1] & 0x80 != 0) {
        out[0] = '-';
        at = 1;
    }
    at += writeUnsigned(out + at, groups[count - 1]);
    var group = count - 1;
    while (group > 0) {
        group -= 1;
        writePadded(8, out[at..][0..8], groups[group] / 10);
        out[at + 8] = '0' + @as(u8, @intCast(groups[group] % 10));
        at += limb_digits;
    }
    return at;
}

/// The absolute value in limbs of 32 bits, lowest first; how many are used.
fn magnitudeOf(blob: []const u8, limbs: []u32) usize {
    const negative = blob.len != 0 and blob[blob.len - 1] & 0x80 != 0;
    var carry: u16 = if (negative) 1 else 0;
    for (blob, 0..) |byte, at| {
        const turned: u16 = if (negative) ~byte else byte;
        const total = turned + carry;
        carry = total >> 8;
        limbs[at / 4] |= @as(u32, total & 0xff) << @intCast(8 * (at % 4));
    }
    var used = limbs.len;
    while (used > 0 and limbs[used - 1] == 0) used -= 1;
    return used;
}

/// Divide in place; the rest.
fn divideBy(limbs: []u32, divisor: u32) u32 {
    var rest: u64 = 0;
    var at = limbs.len;
    while (at > 0) {
        at -= 1;
        const here = rest << 32 | limbs[at];
        limbs[at] = @intCast(here / divisor);
        rest = here % divisor;
    }
    return @intCast(rest);
}

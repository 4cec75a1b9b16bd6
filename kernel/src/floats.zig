//! Columns of float64, read: scaled integers with the misfits beside them, bit for bit as Python reads them.

const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const integers = @import("integers.zig");
const Reader = @import("wire.zig").Reader;

pub const max_decimals = 15;
pub const max_binary_places = 1_000;
pub const max_ratio_places = 50;

/// Integers up to here are exact as float64.
const max_exact = 1 << 53;

pub const Scaling = enum(u8) { bits, decimal, single, binary, fifteenths, ratio };

/// Fill `out` with a column of as many floats, by their bits.
pub fn decode(reader: *Reader, out: []u64) Fault!void {
    const numbers: []i64 = @ptrCast(out);
    const code = try reader.byte();
    if (code > @backingInt(Scaling.ratio)) return error.UnknownScaling;
    const scaling: Scaling = @fromBackingInt(@intCast(code));
    if (scaling == .bits) {
        try integers.decode(reader, numbers);
        for (numbers) |*number| number.* = ordered(number.*);
        return;
    }
    const places = try reader.count(if (scaling == .ratio) max_ratio_places else max_binary_places);
    const divisor = try divisorOf(scaling, places);
    const misfit_count = try reader.count(out.len);
    const before = arena.mark();
    defer arena.release(before);
    const gaps = try arena.take(i64, misfit_count);
    const misfits = try arena.take(i64, misfit_count);
    try integers.decode(reader, gaps);
    try integers.decode(reader, misfits);
    try addUp(gaps, out.len);
    if (scaling == .ratio) {
        try readRatios(reader, out, places);
    } else {
        try integers.decode(reader, numbers);
        for (numbers, out) |number, *cell| {
            const float = @as(f64, @floatFromInt(number)) / divisor;
            const exact: f64 = if (scaling == .single) @as(f32, @floatCast(float)) else float;
            cell.* = @bitCast(exact);
        }
    }
    for (gaps, misfits) |place, bits| out[@intCast(place)] = @bitCast(bits);
}

/// What `Scaling` divides by.
pub fn divisorOf(scaling: Scaling, places: usize) Fault!f64 {
    return switch (scaling) {
        .binary, .ratio => powerOf2(places),
        .fifteenths => 15 * powerOf2(places),
        .decimal, .single => if (places > max_decimals) error.TooManyDecimals else powerOf10(places),
        .bits => error.Misuse,
    };
}

/// Bits of a float from an integer that ascends as floats do, and the other way round.
pub fn ordered(number: i64) i64 {
    return if (number >= 0) number else number ^ 0x7fff_ffff_ffff_ffff;
}

/// To the nearest whole number, halves to even.
pub fn roundedEven(float: f64) f64 {
    const below = @floor(float);
    const rest = float - below;
    if (rest < 0.5) return below;
    if (rest > 0.5) return below + 1;
    return if (@rem(below, 2) == 0) below else below + 1;
}

/// 2 to the power of at most 1,000.
fn powerOf2(places: usize) f64 {
    return @bitCast((1023 + @as(u64, places)) << 52);
}

/// 10 to the power of at most 22 is exact.
pub fn powerOf10(places: usize) f64 {
    var power: f64 = 1;
    for (0..places) |_| power *= 10;
    return power;
}

/// Places from gaps, each of which must be below `count`.
fn addUp(gaps: []i64, count: usize) Fault!void {
    var place: i64 = 0;
    for (gaps) |*gap| {
        place +|= gap.*;
        if (place < 0 or place >= count) return error.MisfitsOutside;
        gap.* = place;
    }
}

fn readRatios(reader: *Reader, out: []u64, places: usize) Fault!void {
    const numerators: []i64 = @ptrCast(out);
    const denominators = try arena.take(i64, out.len);
    const errors = try arena.take(i64, out.len);
    try integers.decode(reader, numerators);
    try integers.decode(reader, denominators);
    for (denominators) |one| if (one < 1) return error.DividesByNothing;
    try integers.decode(reader, errors);
    const step = powerOf2(places);
    // Added to a float and taken off again, it rounds to a multiple of 2^-places, halves to even.
    const steady = 1.5 * (@as(f64, 1 << 52) / step);
    for (numerators, denominators, errors, out) |numerator, denominator, rounding, *cell| {
        const rounded = (quotient(numerator, denominator) + steady) - steady;
        cell.* = @bitCast(rounded + @as(f64, @floatFromInt(rounding)) / step);
    }
}

/// The float64 nearest to a quotient of integers; halves to even. The denominator is at least 1.
pub fn quotient(numerator: i64, denominator: i64) f64 {
    if (@abs(numerator) <= max_exact and denominator <= max_exact) {
        return @as(f64, @floatFromInt(numerator)) / @as(f64, @floatFromInt(denominator));
    }
    const over: u128 = @abs(numerator);
    const under: u128 = @intCast(denominator);
    // At least 55 bits of the quotient, and whether anything follows: one rounding, at the end.
    const shift: u7 = @intCast(@max(0, 55 + @as(i32, @clz(over)) - @as(i32, @clz(under))));
    const digits: u64 = @intCast((over << shift) / under);
    const rest = (over << shift) % under;
    const magnitude = @as(f64, @floatFromInt(digits | @intFromBool(rest != 0))) / powerOf2(shift);
    return if (numerator < 0) -magnitude else magnitude;
}

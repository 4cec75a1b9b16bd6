//! Columns of float64, written in the scaling that a plan names: the same bytes as Python's coding.
//!
//! The plan: the scaling's byte, its places as a varint, then plans of the columns as they are written. A float
//! fits when the same 64 bits come back; those that do not are misfits, kept as bits beside the rest.

const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const floats = @import("floats.zig");
const integer_writing = @import("integer_writing.zig");
const wire = @import("wire.zig");

/// Integers of this size are scaled no further.
const max_scaled: f64 = 1 << 62;

const max_ratio_number = 1 << 50;
const max_denominator = 65_536;

/// Write floats, given by their bits.
pub fn encode(plan: *wire.Reader, bits: []const u64, out: *wire.Writer) Fault!void {
    const code = plan.byte() catch return error.Misuse;
    if (code > @backingInt(floats.Scaling.ratio)) return error.Misuse;
    const scaling: floats.Scaling = @fromBackingInt(@intCast(code));
    try out.byte(code);
    const numbers = try arena.take(i64, bits.len);
    if (scaling == .bits) {
        for (numbers, bits) |*number, one| number.* = floats.ordered(@bitCast(one));
        return integer_writing.encode(plan, numbers, out);
    }
    const most: u64 = if (scaling == .ratio) floats.max_ratio_places else floats.max_binary_places;
    const places = plan.count(most) catch return error.Misuse;
    const divisor = floats.divisorOf(scaling, places) catch return error.Misuse;
    try out.uvarint(places);
    const misfits = try scaled(bits, scaling, divisor, numbers);
    try out.uvarint(misfits.len);
    if (misfits.len != 0) try writeMisfits(plan, misfits, bits, out);
    if (scaling == .ratio) return writeRatios(plan, numbers, places, out);
    return integer_writing.encode(plan, numbers, out);
}

/// Integers of the floats into `numbers`; the places of those that do not fit. There the integer before stands in,
/// or the first that is one.
fn scaled(bits: []const u64, scaling: floats.Scaling, divisor: f64, numbers: []i64) Fault![]i64 {
    const misfits = try arena.take(i64, bits.len);
    var count: usize = 0;
    var last: ?i64 = null;
    for (bits, numbers, 0..) |one, *number, place| {
        if (fitting(@bitCast(one), scaling, divisor)) |integer| {
            if (last == null) @memset(numbers[0..place], integer);
            number.* = integer;
            last = integer;
        } else {
            misfits[count] = @intCast(place);
            count += 1;
            number.* = last orelse 0;
        }
    }
    if (last == null) return error.Unfit;
    return misfits[0..count];
}

fn fitting(float: f64, scaling: floats.Scaling, divisor: f64) ?i64 {
    const largest = max_scaled / divisor;
    const within = -largest < float and float < largest;
    const number: i64 = if (within) @intFromFloat(roundedEven(float * divisor)) else 0;
    var back = @as(f64, @floatFromInt(number)) / divisor;
    if (scaling == .single) back = @as(f32, @floatCast(back));
    return if (@as(u64, @bitCast(back)) == @as(u64, @bitCast(float))) number else null;
}

/// To the nearest whole number, halves to even.
fn roundedEven(float: f64) f64 {
    const below = @floor(float);
    const rest = float - below;
    if (rest < 0.5) return below;
    if (rest > 0.5) return below + 1;
    return if (@rem(below, 2) == 0) below else below + 1;
}

fn writeMisfits(plan: *wire.Reader, misfits: []const i64, bits: []const u64, out: *wire.Writer) Fault!void {
    const gaps = try arena.take(i64, misfits.len);
    const kept = try arena.take(i64, misfits.len);
    for (gaps, kept, misfits, 0..) |*gap, *one, place, at| {
        gap.* = if (at == 0) place else place - misfits[at - 1];
        one.* = @bitCast(bits[@intCast(place)]);
    }
    try integer_writing.encode(plan, gaps, out);
    try integer_writing.encode(plan, kept, out);
}

fn writeRatios(plan: *wire.Reader, numbers: []const i64, places: usize, out: *wire.Writer) Fault!void {
    const numerators = try arena.take(i64, numbers.len);
    const denominators = try arena.take(i64, numbers.len);
    const errors = try arena.take(i64, numbers.len);
    for (numbers, numerators, denominators, errors) |number, *numerator, *denominator, *rounding| {
        if (number > max_ratio_number or number < -max_ratio_number) return error.Unfit;
        numerator.*, denominator.*, rounding.* = ratioOf(number, places);
    }
    try integer_writing.encode(plan, numerators, out);
    try integer_writing.encode(plan, denominators, out);
    try integer_writing.encode(plan, errors, out);
}

/// Numerator, denominator and error of number / 2^places: of the first convergent of its continued fraction whose
/// error is at most 1, else of the last one of a denominator that is allowed.
fn ratioOf(number: i64, places: usize) struct { i64, i64, i64 } {
    const one = @as(i64, 1) << @intCast(places);
    var over = number;
    var under = one;
    var numerator: i64 = 1;
    var denominator: i64 = 0;
    var numerator_before: i64 = 0;
    var denominator_before: i64 = 1;
    while (under != 0) {
        const whole = @divFloor(over, under);
        if (denominator != 0 and whole > max_denominator) break;
        const larger = whole * denominator + denominator_before;
        if (larger > max_denominator) break;
        denominator_before = denominator;
        denominator = larger;
        const further = whole * numerator + numerator_before;
        numerator_before = numerator;
        numerator = further;
        // Products may pass 64 bits, but the distance of a convergent is below 2^places: wrapped, it comes out right.
        if (@abs(numerator *% one -% number *% denominator) <= denominator) break;
        const rest = over - whole * under;
        over = under;
        under = rest;
    }
    const near = floats.quotient(numerator, denominator) * @as(f64, @floatFromInt(one));
    const rounded: i64 = @intFromFloat(roundedEven(near));
    return .{ numerator, denominator, number - rounded };
}

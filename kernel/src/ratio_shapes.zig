//! Columns of floats n / 2^places that once were ratios of small numbers, written: the bytes of Python's
//! `blocks/ratios.py`, which says why.

const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;
const floats = @import("floats.zig");
const integer_shapes = @import("integer_shapes.zig");
const Writer = @import("wire.zig").Writer;

const max_number = 1 << 50;
const max_denominator = 65_536;
const probes = 24;
const found_of_probes = 18;

/// Whether some of the integers that fit, as multiples of 2^-places, are ratios: of random ones, hardly any is.
pub fn lookLike(integers: []const i64, fitting: []const bool, places: usize) Fault!bool {
    if (places > floats.max_ratio_places) return false;
    var count: usize = 0;
    for (integers, fitting) |number, fits| {
        if (!fits) continue;
        if (number > max_number or number < -max_number) return false;
        count += 1;
    }
    const step = count / probes + 1;
    var place: usize = 0;
    var probed: usize = 0;
    var found: usize = 0;
    for (integers, fitting) |number, fits| {
        if (!fits) continue;
        if (place % step == 0) {
            probed += 1;
            found += @intFromBool(@abs(ratioOf(number, places).rounding) <= 1);
        }
        place += 1;
    }
    return found * probes >= found_of_probes * probed;
}

/// Numerators, denominators, errors: a column each. What they weigh.
pub fn encode(integers: []const i64, places: usize, out: *Writer) Fault!u64 {
    const numerators = try arena.take(i64, integers.len);
    const denominators = try arena.take(i64, integers.len);
    const errors = try arena.take(i64, integers.len);
    for (integers, numerators, denominators, errors) |number, *numerator, *denominator, *rounding| {
        const ratio = ratioOf(number, places);
        numerator.* = ratio.numerator;
        denominator.* = ratio.denominator;
        rounding.* = ratio.rounding;
    }
    return try integer_shapes.encode(numerators, out) +
        try integer_shapes.encode(denominators, out) +
        try integer_shapes.encode(errors, out);
}

const Ratio = struct { numerator: i64, denominator: i64, rounding: i64 };

/// number / 2^places as the first convergent of its continued fraction whose error is at most 1, else the last one of a
/// denominator that is allowed; and the error.
fn ratioOf(number: i64, places: usize) Ratio {
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
    return .{ .numerator = numerator, .denominator = denominator, .rounding = number - @as(i64, @intFromFloat(floats.roundedEven(near))) };
}

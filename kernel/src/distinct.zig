//! Distinct numbers of a column, in order of appearance, and how often each comes.

const arena = @import("arena.zig");
const Fault = @import("faults.zig").Fault;

const none: u32 = 0xffff_ffff;

pub const Distinct = struct {
    /// The numbers, in order of appearance.
    numbers: []i64,
    counts: []u32,
    /// The place among the distinct numbers of each of the column's.
    places: []u32,

    /// Of a column; null where there are more than `most`.
    pub fn of(column: []const i64, most: usize) Fault!?Distinct {
        const places = try arena.take(u32, column.len);
        const room = @min(most, column.len);
        const numbers = try arena.take(i64, room);
        const counts = try arena.take(u32, room);
        var bits: u5 = 4;
        while (bits < 31 and @as(usize, 1) << bits < 2 * room) bits += 1;
        const slots = try arena.take(u32, @as(usize, 1) << bits);
        @memset(slots, none);
        const mask: u32 = @intCast(slots.len - 1);
        var found: u32 = 0;
        for (column, places) |number, *place| {
            var slot: u32 = hashed(number, bits);
            while (slots[slot] != none and numbers[slots[slot]] != number) slot = (slot + 1) & mask;
            if (slots[slot] == none) {
                if (found == room) return null;
                numbers[found] = number;
                counts[found] = 0;
                slots[slot] = found;
                found += 1;
            }
            place.* = slots[slot];
            counts[place.*] += 1;
        }
        return .{ .numbers = numbers[0..found], .counts = counts[0..found], .places = places };
    }
};

/// Fibonacci hashing: the top bits of a product with 2^64 over the golden ratio.
fn hashed(number: i64, bits: u5) u32 {
    const product = @as(u64, @bitCast(number)) *% 0x9e37_79b9_7f4a_7c15;
    return @intCast(product >> (63 - @as(u6, bits) + 1));
}

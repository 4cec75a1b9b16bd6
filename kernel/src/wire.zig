//! Numbers in bytes: varints, byte planes, bitmaps. A reader never runs over its end, a writer neither.
//!
//! Little-endian throughout, as WebAssembly is. It knows no column.

const std = @import("std");
const Fault = @import("faults.zig").Fault;

const max_varint_bytes = 10;

/// The zigzag code of a signed number: 0, -1, 1, -2, ... are 0, 1, 2, 3, ...
pub fn zigzag(signed: i64) u64 {
    return @bitCast((signed << 1) ^ (signed >> 63));
}

/// The signed number of a zigzag code.
pub fn unzigzag(code: u64) i64 {
    return @bitCast((code >> 1) ^ (0 -% (code & 1)));
}

/// Bytes that hold an unsigned number, 1 to 8.
pub fn byteWidth(largest: u64) u8 {
    return @max(1, (64 - @as(u8, @clz(largest)) + 7) / 8);
}

pub const Reader = struct {
    data: []const u8,
    at: usize = 0,

    /// The next `size` bytes.
    pub fn take(self: *Reader, size: u64) Fault![]const u8 {
        if (size > self.data.len - self.at) return error.EndsEarly;
        const taken = self.data[self.at..][0..@intCast(size)];
        self.at += taken.len;
        return taken;
    }

    pub fn byte(self: *Reader) Fault!u8 {
        if (self.at == self.data.len) return error.EndsEarly;
        defer self.at += 1;
        return self.data[self.at];
    }

    /// The next unsigned varint, below 2^64.
    pub fn uvarint(self: *Reader) Fault!u64 {
        var value: u64 = 0;
        for (0..max_varint_bytes) |place| {
            const next = try self.byte();
            const low: u64 = next & 0x7f;
            if (place == max_varint_bytes - 1 and low > 1) return error.Over64Bits;
            value |= low << @intCast(7 * place);
            if (next < 0x80) return value;
        }
        return error.Over64Bits;
    }

    /// The next signed varint.
    pub fn svarint(self: *Reader) Fault!i64 {
        return unzigzag(try self.uvarint());
    }

    /// The next unsigned varint, refused when it is over `most`.
    pub fn count(self: *Reader, most: u64) Fault!usize {
        const value = try self.uvarint();
        if (value > most) return error.CountsTooMuch;
        return @intCast(value);
    }

    /// A width byte and that many byte planes, as unsigned numbers; the width.
    pub fn planes(self: *Reader, out: []u64) Fault!u8 {
        const width = try self.byte();
        if (width < 1 or width > 8) return error.ImpossibleWidth;
        const raw = try self.take(@as(u64, width) * out.len);
        switch (width) {
            inline 1...8 => |known| gather(known, raw, out),
            else => unreachable,
        }
        return width;
    }

    /// A bitmap as zeros and ones.
    pub fn bits(self: *Reader, out: []i64) Fault!void {
        const raw = try self.take((out.len + 7) / 8);
        for (out, 0..) |*cell, place| cell.* = raw[place / 8] >> @intCast(place % 8) & 1;
        const spare: u4 = @intCast(raw.len * 8 - out.len);
        if (spare != 0 and raw[raw.len - 1] >> @intCast(8 - spare) != 0) return error.StrayBits;
    }

    /// Refuse bytes that nobody reads.
    pub fn end(self: *const Reader) Fault!void {
        if (self.at != self.data.len) return error.StrayBytes;
    }
};

/// `raw` holds `width` planes of as many bytes as `out` has cells: `take` has checked that.
fn gather(comptime width: usize, raw: []const u8, out: []u64) void {
    @setRuntimeSafety(false);
    for (out, 0..) |*cell, place| {
        var value: u64 = 0;
        inline for (0..width) |plane| value |= @as(u64, raw[plane * out.len + place]) << (8 * plane);
        cell.* = value;
    }
}

pub const Writer = struct {
    data: []u8,
    at: usize = 0,

    /// The next `size` bytes, for the caller to fill. Whoever made the room too small gets `Unfit`.
    pub fn space(self: *Writer, size: usize) Fault![]u8 {
        if (size > self.data.len - self.at) return error.Unfit;
        defer self.at += size;
        return self.data[self.at..][0..size];
    }

    pub fn byte(self: *Writer, value: u8) Fault!void {
        (try self.space(1))[0] = value;
    }

    pub fn bytes(self: *Writer, values: []const u8) Fault!void {
        @memcpy(try self.space(values.len), values);
    }

    pub fn uvarint(self: *Writer, value: u64) Fault!void {
        var rest = value;
        while (rest > 0x7f) : (rest >>= 7) try self.byte(@as(u8, @truncate(rest)) | 0x80);
        try self.byte(@intCast(rest));
    }

    pub fn svarint(self: *Writer, value: i64) Fault!void {
        try self.uvarint(zigzag(value));
    }

    /// A width byte, and the byte planes of unsigned numbers that fit the width.
    pub fn planes(self: *Writer, values: []const u64, width: u8) Fault!void {
        try self.byte(width);
        for (0..width) |plane| {
            const out = try self.space(values.len);
            const shift: u6 = @intCast(8 * plane);
            for (out, values) |*cell, value| cell.* = @truncate(value >> shift);
        }
    }

    /// Zeros and ones, eight a byte, lowest bit first.
    pub fn bitmap(self: *Writer, values: []const u64) Fault!void {
        const out = try self.space((values.len + 7) / 8);
        @memset(out, 0);
        for (values, 0..) |value, place| out[place / 8] |= @as(u8, @intCast(value)) << @intCast(place % 8);
    }

    pub fn written(self: *const Writer) []u8 {
        return self.data[0..self.at];
    }
};

//! UTF-8 in which half of a surrogate pair is let through, as Python's `surrogatepass` has it.

/// One character: its number, and how many bytes it took.
pub const Character = struct { code: u21, size: u3 };

/// Whether all of it is UTF-8, surrogates included.
pub fn sound(text: []const u8) bool {
    var at: usize = 0;
    while (at < text.len) {
        const found = next(text[at..]) orelse return false;
        at += found.size;
    }
    return true;
}

/// The first character of at least one byte, or null where there is none.
pub fn next(text: []const u8) ?Character {
    const first = text[0];
    if (first < 0x80) return .{ .code = first, .size = 1 };
    const size: u3 = switch (first) {
        0xc2...0xdf => 2,
        0xe0...0xef => 3,
        0xf0...0xf4 => 4,
        else => return null,
    };
    if (size > text.len) return null;
    var code: u21 = first & (@as(u8, 0x7f) >> size);
    for (text[1..size]) |byte| {
        if (byte & 0xc0 != 0x80) return null;
        code = code << 6 | (byte & 0x3f);
    }
    const lowest: u21 = switch (size) {
        2 => 0x80,
        3 => 0x800,
        else => 0x1_0000,
    };
    if (code < lowest or code > 0x10_ffff) return null;
    return .{ .code = code, .size = size };
}

pub fn isSurrogate(code: u21) bool {
    return code >= 0xd800 and code <= 0xdfff;
}

/// Whether a sound text holds half of a surrogate pair.
pub fn hasSurrogate(text: []const u8) bool {
    for (text, 0..) |byte, at| {
        // A lead byte ED with a second of A0 to BF begins a surrogate; in sound text nothing else does.
        if (byte == 0xed and at + 1 < text.len and text[at + 1] >= 0xa0) return true;
    }
    return false;
}

// The events that tools/see/page.py has packed into the page: the columns one after the other as
// little-endian numbers, compressed by gzip, in base64. The times are differences.

const PACKED = [["t", Float64Array], ["env", Int32Array], ["arg", Uint32Array],
    ["place", Int32Array], ["cpu", Uint8Array], ["kind", Uint8Array]];

async function gunzip(base64) {
    if (typeof DecompressionStream === "undefined")
        throw new Error("this browser is too old for this page: it has no DecompressionStream");
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
}

// Returns a promise of the columns of a model's events.
export async function decodeEvents(packed) {
    const buffer = await gunzip(packed.data), events = {};
    let at = 0;
    for (const [name, type] of PACKED) {
        events[name] = new type(buffer, at, packed.count);
        at += packed.count * type.BYTES_PER_ELEMENT;
    }
    for (let i = 1; i < packed.count; i++)
        events.t[i] += events.t[i - 1];
    return events;
}

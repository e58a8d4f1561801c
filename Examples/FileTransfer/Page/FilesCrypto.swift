/// The pairing of a page: what `PairingSession` is in Swift.
enum FilesCrypto {
    static let script = #"""
        "use strict";
        // P-256 in whole numbers: a browser's own cryptography cannot add points. It takes a time that depends on the
        // numbers, which nobody can measure well enough over one exchange with a fresh number for each.
        const P = (1n << 256n) - (1n << 224n) + (1n << 192n) + (1n << 96n) - 1n;
        const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
        const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
        const G = [0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
                   0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n];
        // M and N of RFC 9382 section 6.
        const M = expand(0x886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12fn, 0n);
        const N = expand(0xd8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49n, 1n);

        function mod(a, m = P) { const r = a % m; return r < 0n ? r + m : r; }
        function power(base, exponent) {
            let result = 1n;
            for (base = mod(base); exponent > 0n; exponent >>= 1n, base = base * base % P) {
                if (exponent & 1n) result = result * base % P;
            }
            return result;
        }
        const inverse = (a) => power(a, P - 2n);
        function expand(x, parity) {
            const y = power(x * x * x - 3n * x + B, (P + 1n) / 4n);
            return [x, (y & 1n) === parity ? y : P - y];
        }
        // Points are [x, y]; null is the one at infinity.
        function add(p, q) {
            if (!p) return q;
            if (!q) return p;
            if (p[0] === q[0] && mod(p[1] + q[1]) === 0n) return null;
            const slope = p[0] === q[0] ? mod((3n * p[0] * p[0] - 3n) * inverse(2n * p[1]))
                                        : mod((q[1] - p[1]) * inverse(mod(q[0] - p[0])));
            const x = mod(slope * slope - p[0] - q[0]);
            return [x, mod(slope * (p[0] - x) - p[1])];
        }
        function multiply(p, scalar) {
            let result = null;
            for (let bit = 255n; bit >= 0n; bit--) {
                result = add(result, result);
                if ((scalar >> bit) & 1n) result = add(result, p);
            }
            return result;
        }
        const negative = (p) => p && [p[0], mod(-p[1])];

        const text = (string) => new TextEncoder().encode(string);
        const join = (...parts) => {
            const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
            let at = 0;
            for (const part of parts) { all.set(part, at); at += part.length; }
            return all;
        };
        function toBytes(number, size = 32) {
            const bytes = new Uint8Array(size);
            for (let i = size - 1; i >= 0; i--, number >>= 8n) bytes[i] = Number(number & 255n);
            return bytes;
        }
        const toNumber = (bytes) => bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
        const encode = (p) => join(Uint8Array.of(4), toBytes(p[0]), toBytes(p[1]));
        function decode(bytes) {
            const x = toNumber(bytes.slice(1, 33)), y = toNumber(bytes.slice(33, 65));
            const isOnCurve = mod(y * y - x * x * x + 3n * x - B) === 0n;
            if (bytes.length !== 65 || bytes[0] !== 4 || x >= P || y >= P || !isOnCurve) throw new Error("no point");
            return [x, y];
        }
        const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        const fromBase64 = (string) => Uint8Array.from(atob(string), (character) => character.charCodeAt(0));
        const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        async function hmac(key, bytes) {
            const use = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
            return new Uint8Array(await crypto.subtle.sign("HMAC", use, bytes));
        }
        async function hkdf(secret, info, size) {
            const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
            const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info };
            return new Uint8Array(await crypto.subtle.deriveBits(how, key, size * 8));
        }
        function equal(a, b) {
            let difference = a.length ^ b.length;
            for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
            return difference === 0;
        }

        // One side of the pairing; `carry` takes a text to the other side.
        class Pairing {
            constructor(role, code, carry) {
                Object.assign(this, { role, code, carry, sent: 0n, opened: 0n });
            }
            async begin() {
                this.w = mod(toNumber(await hkdf(text(this.code), text("SPAKE2 P-256 password"), 40)), ORDER);
                do { this.secret = toNumber(crypto.getRandomValues(new Uint8Array(32))); }
                while (this.secret === 0n || this.secret >= ORDER);
                const [own, other] = this.role === "inviter" ? [M, N] : [N, M];
                this.other = other;
                this.share = encode(add(multiply(G, this.secret), multiply(own, this.w)));
                this.say("share", this.share);
            }
            say(kind, bytes) { this.carry(JSON.stringify([kind, base64(bytes)])); }
            // Gives a message of the other side, or undefined; throws when it is over.
            async receive(string) {
                const [kind, value] = JSON.parse(string);
                if (kind === "refused" && !this.opening) throw new Error("The code is wrong.");
                const bytes = fromBase64(value);
                if (kind === "share" && !this.confirmation) return this.takeShare(bytes);
                if (kind === "confirm" && this.confirmation && !this.opening) return this.takeConfirmation(bytes);
                if (kind === "sealed" && this.opening) return this.open(bytes);
                throw new Error("The other side does not speak this protocol.");
            }
            async takeShare(share) {
                const point = multiply(add(decode(share), negative(multiply(this.other, this.w))), this.secret);
                if (!point) throw new Error("no point");
                const shares = this.role === "inviter" ? [this.share, share] : [share, this.share];
                const parts = [text("inviter"), text("joiner"), ...shares, encode(point), toBytes(this.w)];
                const transcript = join(...parts.flatMap((part) => [toBytes(BigInt(part.length), 8).reverse(), part]));
                const digest = await sha256(transcript);
                this.key = digest.slice(0, 16);
                const keys = await hkdf(digest.slice(16), text("ConfirmationKeys" + "swift-webrtc pairing 1"), 32);
                const codes = [await hmac(keys.slice(0, 16), transcript), await hmac(keys.slice(16), transcript)];
                [this.confirmation, this.expected] = this.role === "inviter" ? codes : codes.reverse();
                // The joiner shows first that it has the code.
                if (this.role === "joiner") this.say("confirm", this.confirmation);
            }
            async takeConfirmation(bytes) {
                if (!equal(bytes, this.expected)) {
                    if (this.role === "inviter") this.carry(JSON.stringify(["refused"]));
                    throw Object.assign(new Error("The code is wrong, or somebody meddled with the exchange."), { isWrongCode: true });
                }
                if (this.role === "inviter") this.say("confirm", this.confirmation);
                const use = async (role, what) => crypto.subtle.importKey(
                    "raw", await hkdf(this.key, text("swift-webrtc pairing 1 from " + role), 32), "AES-GCM", false, [what]);
                this.sealing = await use(this.role, "encrypt");
                this.opening = await use(this.role === "inviter" ? "joiner" : "inviter", "decrypt");
                return ["paired"];
            }
            async open(sealed) {
                const how = { name: "AES-GCM", iv: toBytes(this.opened++, 12) };
                try {
                    const plain = await crypto.subtle.decrypt(how, this.opening, sealed);
                    return JSON.parse(new TextDecoder().decode(plain));
                } catch { throw new Error("Somebody altered what the other side said."); }
            }
            // In the order of the calls, which is that of the numbers.
            seal(message) {
                const how = { name: "AES-GCM", iv: toBytes(this.sent++, 12) };
                this.queue = (this.queue ?? Promise.resolve()).then(async () =>
                    this.say("sealed", new Uint8Array(await crypto.subtle.encrypt(how, this.sealing, text(JSON.stringify(message))))));
            }
        }
        """# + "\n"
}

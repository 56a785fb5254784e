"""Prints the vectors of noise_test.go: the noise as noise.go's comment defines it, with openssl's AES."""
import hashlib, math, struct, subprocess

def x(seed, position, token):
    key = hashlib.sha256(b"lode/inference/noise/v1" + struct.pack(">Q", seed)).digest()[:16]
    iv = struct.pack(">QQ", position, 0)
    bits = subprocess.run(["openssl", "enc", "-aes-128-ctr", "-K", key.hex(), "-iv", iv.hex(), "-nosalt"],
                          input=bytes(4 * (token + 1)), capture_output=True, check=True).stdout
    return struct.unpack_from("<I", bits, 4 * token)[0]

for seed, position, token in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (7, 3, 4095), (2**64 - 1, 2**31, 128255), (42, 511, 17)]:
    v = x(seed, position, token)
    print(f"\t{{{seed}, {position}, {token}, {v:#x}, {-math.log(-math.log((v + .5) / 2**32))!r}}},")

def ln(x):
    """FreeBSD's e_log.c; Python rounds each operation by itself."""
    f, k = math.frexp(x)
    if f < math.sqrt(2) / 2:
        f, k = 2 * f, k - 1
    f -= 1
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    t1 = s2 * (6.666666666666735130e-01 + s4 * (2.857142874366239149e-01 + s4 * (1.818357216161805012e-01 + s4 * 1.479819860511658591e-01)))
    t2 = s4 * (3.999999999940941908e-01 + s4 * (2.222219843214978396e-01 + s4 * 1.531383769920937332e-01))
    r = t1 + t2
    h = .5 * f * f
    return k * 6.93147180369123816490e-01 - ((h - (s * (h + r) + k * 1.90821492927058770002e-10)) - f)

for v in [.5, 2, 3, 10, 1 - 2**-33, 2**-33, .1, 1234.5678]:
    print(f"\t{v!r}: {struct.unpack('<Q', struct.pack('<d', ln(v)))[0]:#x},")


/*
 * A hash in wyhash's construction: 64 x 64 to 128 bit products folded by xor,
 * three independent lanes for long input.  Values depend on the byte order of
 * the machine, as all does that is hashed with it.
 */

#include "torii.h"


#define TORII_HASH_0  0xa0761d6478bd642fULL
#define TORII_HASH_1  0xe7037ed1a0b428dbULL
#define TORII_HASH_2  0x8ebc6af09c88c6e3ULL
#define TORII_HASH_3  0x589965cc75374cc3ULL


#if defined(__SIZEOF_INT128__)

__extension__ typedef unsigned __int128  torii_uint128_t;


static inline void
torii_hash_multiply(uint64_t *a, uint64_t *b)
{
    torii_uint128_t  product;

    product = (torii_uint128_t) *a * *b;

    *a = (uint64_t) product;
    *b = (uint64_t) (product >> 64);
}

#else

static inline void
torii_hash_multiply(uint64_t *a, uint64_t *b)
{
    uint64_t  ah, al, bh, bl, high, low, mid, mid2, carry;

    ah = *a >> 32;
    al = (uint32_t) *a;
    bh = *b >> 32;
    bl = (uint32_t) *b;

    mid = ah * bl;
    mid2 = al * bh;

    low = al * bl;
    carry = (low >> 32) + (uint32_t) mid + (uint32_t) mid2;
    high = ah * bh + (mid >> 32) + (mid2 >> 32) + (carry >> 32);

    *a = (carry << 32) | (uint32_t) low;
    *b = high;
}

#endif


static inline uint64_t
torii_hash_mix(uint64_t a, uint64_t b)
{
    torii_hash_multiply(&a, &b);
    return a ^ b;
}


static inline uint64_t
torii_hash_read8(const unsigned char *p)
{
    uint64_t  v;

    memcpy(&v, p, 8);
    return v;
}


static inline uint64_t
torii_hash_read4(const unsigned char *p)
{
    uint32_t  v;

    memcpy(&v, p, 4);
    return v;
}


/* Up to 16 bytes, read as two words that overlap. */

static inline void
torii_hash_short(const unsigned char *p, size_t len, uint64_t *a, uint64_t *b)
{
    size_t  step;

    if (len >= 4) {
        step = (len >> 3) << 2;

        *a = (torii_hash_read4(p) << 32) | torii_hash_read4(p + step);
        *b = (torii_hash_read4(p + len - 4) << 32)
             | torii_hash_read4(p + len - 4 - step);
        return;
    }

    *b = 0;

    if (len == 0) {
        *a = 0;
        return;
    }

    *a = ((uint64_t) p[0] << 16) | ((uint64_t) p[len >> 1] << 8) | p[len - 1];
}


uint64_t
torii_hash(const void *data, size_t len, uint64_t seed)
{
    size_t                rest;
    uint64_t              a, b, lane1, lane2;
    const unsigned char  *p;

    p = data;
    seed ^= torii_hash_mix(seed ^ TORII_HASH_0, TORII_HASH_1);

    if (len <= 16) {
        torii_hash_short(p, len, &a, &b);

    } else {
        rest = len;

        if (rest > 48) {
            lane1 = seed;
            lane2 = seed;

            do {
                seed = torii_hash_mix(torii_hash_read8(p) ^ TORII_HASH_1,
                                      torii_hash_read8(p + 8) ^ seed);
                lane1 = torii_hash_mix(torii_hash_read8(p + 16) ^ TORII_HASH_2,
                                       torii_hash_read8(p + 24) ^ lane1);
                lane2 = torii_hash_mix(torii_hash_read8(p + 32) ^ TORII_HASH_3,
                                       torii_hash_read8(p + 40) ^ lane2);
                p += 48;
                rest -= 48;
            } while (rest > 48);

            seed ^= lane1 ^ lane2;
        }

        while (rest > 16) {
            seed = torii_hash_mix(torii_hash_read8(p) ^ TORII_HASH_1,
                                  torii_hash_read8(p + 8) ^ seed);
            p += 16;
            rest -= 16;
        }

        a = torii_hash_read8(p + rest - 16);
        b = torii_hash_read8(p + rest - 8);
    }

    a ^= TORII_HASH_1;
    b ^= seed;
    torii_hash_multiply(&a, &b);

    return torii_hash_mix(a ^ TORII_HASH_0 ^ len, b ^ TORII_HASH_1);
}

/* SPDX-License-Identifier: MIT */
/*
 * cfrac.c - a program that does little but allocate
 *
 * The continued fraction of the square root of a large number, as the
 * factoring method of Lehmer and Powers (1931) develops it, on numbers of
 * which every intermediate result is a fresh allocation of 8 to 100 bytes:
 *
 *	P' = a Q - P,  Q' = (N - P'^2) / Q,  A' = a A + A_ mod N
 *
 * with the identity A^2 = (-1)^k Q mod N checked at every step, and each Q
 * divided by the small primes.  An allocation about every 50 ns.
 *
 * Usage: cfrac [STEPS]    prints a check sum
 */
#include <string.h>

#include "bench.h"

enum { DIGITS = 20 }; /* of the number whose root is developed */

struct number {
	uint32_t n;       /* digits in use, none of them a leading zero */
	uint32_t digit[]; /* base 2^32, least first */
};

static struct number *
number_new(uint32_t n)
{
	struct number *x = malloc(sizeof(*x) + n * sizeof(uint32_t));

	if (x == NULL)
		die("out of memory");
	x->n = n;
	return x;
}

static struct number *
trim(struct number *x)
{
	while (x->n > 0 && x->digit[x->n - 1] == 0)
		x->n--;
	return x;
}

static struct number *
from_int(uint32_t v)
{
	struct number *x = number_new(1);

	x->digit[0] = v;
	return trim(x);
}

static int
compare(const struct number *a, const struct number *b)
{
	uint32_t i;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (i = a->n; i-- > 0;) {
		if (a->digit[i] != b->digit[i])
			return a->digit[i] < b->digit[i] ? -1 : 1;
	}
	return 0;
}

static struct number *
add(const struct number *a, const struct number *b)
{
	const struct number *l = a->n > b->n ? a : b, *s = l == a ? b : a;
	struct number *x = number_new(l->n + 1);
	uint64_t carry = 0;
	uint32_t i;

	for (i = 0; i < l->n; i++) {
		carry += (uint64_t)l->digit[i] + (i < s->n ? s->digit[i] : 0);
		x->digit[i] = (uint32_t)carry;
		carry >>= 32;
	}
	x->digit[i] = (uint32_t)carry;
	return trim(x);
}

/* a - b, a >= b */
static struct number *
sub(const struct number *a, const struct number *b)
{
	struct number *x = number_new(a->n);
	int64_t borrow = 0;
	uint32_t i;

	for (i = 0; i < a->n; i++) {
		borrow += (int64_t)a->digit[i] - (i < b->n ? b->digit[i] : 0);
		x->digit[i] = (uint32_t)borrow;
		borrow >>= 32;
	}
	return trim(x);
}

static struct number *
mul(const struct number *a, const struct number *b)
{
	struct number *x = number_new(a->n + b->n);
	uint64_t carry;
	uint32_t i, j;

	memset(x->digit, 0, x->n * sizeof(uint32_t));
	for (i = 0; i < a->n; i++) {
		carry = 0;
		for (j = 0; j < b->n; j++) {
			carry += (uint64_t)a->digit[i] * b->digit[j] +
				 x->digit[i + j];
			x->digit[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		x->digit[i + j] = (uint32_t)carry;
	}
	return trim(x);
}

static struct number *
shifted(const struct number *a, unsigned bits, uint32_t extra)
{
	struct number *x = number_new(a->n + extra);
	uint64_t carry = 0;
	uint32_t i;

	for (i = 0; i < x->n; i++) {
		carry |= (uint64_t)(i < a->n ? a->digit[i] : 0) << bits;
		x->digit[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return x;
}

/* One digit of a quotient: subtract q * v from the top of u, mend q. */
static uint32_t
quotient_digit(uint32_t *u, const struct number *v)
{
	uint64_t top = (uint64_t)u[v->n] << 32 | u[v->n - 1], carry = 0;
	uint64_t q = top / v->digit[v->n - 1];
	int64_t borrow = 0;
	uint32_t i;

	if (q > UINT32_MAX)
		q = UINT32_MAX;
	for (i = 0; i <= v->n; i++) {
		carry += q * (i < v->n ? v->digit[i] : 0);
		borrow += (int64_t)u[i] - (uint32_t)carry;
		u[i] = (uint32_t)borrow;
		borrow >>= 32;
		carry >>= 32;
	}
	while (borrow < 0) {
		q--;
		carry = 0;
		for (i = 0; i <= v->n; i++) {
			carry += (uint64_t)u[i] + (i < v->n ? v->digit[i] : 0);
			u[i] = (uint32_t)carry;
			carry >>= 32;
		}
		borrow += (int64_t)carry;
	}
	return (uint32_t)q;
}

/* a / b; the remainder in *rest unless NULL */
static struct number *
divide(const struct number *a, const struct number *b, struct number **rest)
{
	unsigned bits = (unsigned)__builtin_clz(b->digit[b->n - 1]);
	struct number *u = shifted(a, bits, 1), *v = shifted(b, bits, 0);
	struct number *q = number_new(a->n >= b->n ? a->n - b->n + 1 : 0);
	uint32_t i;

	for (i = q->n; i-- > 0;)
		q->digit[i] = quotient_digit(u->digit + i, v);
	if (rest != NULL) {
		trim(u);
		*rest = shifted(u, 0, 0);
		for (i = 0; i < (*rest)->n; i++)
			(*rest)->digit[i] =
			    (uint32_t)(((uint64_t)(i + 1 < u->n
						       ? u->digit[i + 1]
						       : 0)
					       << 32 |
					   u->digit[i]) >>
				       bits);
		trim(*rest);
	}
	free(u);
	free(v);
	return trim(q);
}

static struct number *
mod(const struct number *a, const struct number *b)
{
	struct number *rest;

	free(divide(a, b, &rest));
	return rest;
}

/* Replace *x by @value. */
static void
set(struct number **x, struct number *value)
{
	free(*x);
	*x = value;
}

/* The square root, rounded down, by Newton's method. */
static struct number *
root(const struct number *n)
{
	struct number *x = add(n, n), *q, *s, *two = from_int(2);
	struct number *one = from_int(1);

	set(&x, add(n, one));
	for (;;) {
		q = divide(n, x, NULL);
		s = add(x, q);
		free(q);
		q = divide(s, two, NULL);
		free(s);
		if (compare(q, x) >= 0)
			break;
		set(&x, q);
	}
	free(q);
	free(two);
	free(one);
	return x;
}

static int
is_zero_mod(const struct number *a, const struct number *n)
{
	struct number *r = mod(a, n);
	int zero = r->n == 0;

	free(r);
	return zero;
}

/* Divide out the small primes; what is left goes into the check sum. */
static uint32_t
smooth_part(const struct number *q)
{
	static const uint32_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
	struct number *x = shifted(q, 0, 0), *p, *r, *d;
	uint32_t sum, i;

	for (i = 0; i < 10 && x->n > 0; i++) {
		p = from_int(primes[i]);
		d = divide(x, p, &r);
		while (r->n == 0 && d->n > 0) {
			set(&x, d);
			free(r);
			d = divide(x, p, &r);
		}
		free(d);
		free(r);
		free(p);
	}
	sum = x->n > 0 ? x->digit[0] : 0;
	free(x);
	return sum;
}

struct state {
	struct number *n, *root, *p, *q, *a, *a_before;
	int odd;
};

static void
step(struct state *s)
{
	struct number *t = add(s->root, s->p), *a = divide(t, s->q, NULL);
	struct number *u = mul(a, s->q), *v;

	set(&s->p, sub(u, s->p)); /* P' = a Q - P */
	free(t);
	free(u);
	t = mul(a, s->a); /* A' = a A + A_ mod N */
	u = add(t, s->a_before);
	v = mod(u, s->n);
	free(t);
	free(u);
	set(&s->a_before, s->a);
	s->a = v;
	t = mul(s->p, s->p); /* Q' = (N - P'^2) / Q */
	u = sub(s->n, t);
	set(&s->q, divide(u, s->q, NULL));
	free(t);
	free(u);
	free(a);
	s->odd = !s->odd;
}

/* A_before^2 = (-1)^k Q mod N */
static void
check(const struct state *s)
{
	struct number *square = mul(s->a, s->a), *t;

	t = s->odd ? add(square, s->q) : NULL;
	if (t == NULL && compare(square, s->q) >= 0)
		t = sub(square, s->q);
	if (t == NULL)
		t = sub(s->q, square);
	if (!is_zero_mod(t, s->n))
		die("the identity does not hold");
	free(square);
	free(t);
}

int
main(int argc, char **argv)
{
	uint64_t state = 88172645463325252u;
	long i, steps = argc > 1 ? atol(argv[1]) : 200000;
	struct state s = {.odd = 0};
	uint32_t sum = 0, k;

	s.n = number_new(DIGITS);
	for (k = 0; k < DIGITS; k++)
		s.n->digit[k] = (uint32_t)next_random(&state) | 1;
	s.root = root(s.n);
	s.p = from_int(0);
	s.q = from_int(1);
	s.a = from_int(1);
	s.a_before = from_int(0);
	for (i = 0; i < steps; i++) {
		step(&s);
		check(&s);
		sum = sum * 31 + smooth_part(s.q);
	}
	printf("%08x\n", sum);
	free(s.n);
	free(s.root);
	free(s.p);
	free(s.q);
	free(s.a);
	free(s.a_before);
	return 0;
}

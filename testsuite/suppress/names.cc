/* SPDX-License-Identifier: MIT */
/*
 * names.cc - loses 100 bytes below a C function, 200 in a template, 300 in a
 * method
 */
#include <cstdlib>
#include <cstring>

#define STEP __attribute__((noinline))

namespace shop
{

struct Till {
	STEP static void *fill(std::size_t size)
	{
		return std::memset(std::malloc(size), 1, size);
	}
};

template <class T>
STEP void
lose(T size)
{
	void *p = Till::fill(size);

	__asm__ volatile("" : : "r"(p) : "memory");
}

STEP void
lose_new()
{
	char *p = new char[300];

	std::memset(p, 1, 300);
	__asm__ volatile("" : : "r"(p) : "memory");
}

} // namespace shop

extern "C" STEP void
lose_in_c(int size)
{
	void *p = shop::Till::fill(size);

	__asm__ volatile("" : : "r"(p) : "memory");
}

STEP static int
scrub()
{
	volatile char buf[65536];

	std::memset((char *)buf, 0, sizeof(buf));
	return buf[17];
}

int
main(int, char **)
{
	lose_in_c(100);
	shop::lose<unsigned long>(200);
	shop::lose_new();
	scrub();
	std::abort();
}

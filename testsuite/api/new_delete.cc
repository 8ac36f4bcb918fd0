// SPDX-License-Identifier: MIT
//
// new_delete.cc - C++ on top of malloc: every operator new and delete, the
// failures, containers, and exceptions across threads
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int passed, failed;

#define CHECK(cond)                                                            \
	((cond) ? (void)passed++                                               \
		: (void)(failed++,                                             \
		      fprintf(stderr, "not ok: %s (%s:%d)\n", #cond, __FILE__, \
			  __LINE__)))

struct alignas(256) wide {
	char data[700];
};
struct alignas(8192) very_wide {
	char data[10000];
};

static bool aligned(const void *p, size_t align)
{
	return (reinterpret_cast<uintptr_t>(p) & (align - 1)) == 0;
}

static void aligned_objects()
{
	std::vector<std::unique_ptr<wide>> w;
	std::vector<std::unique_ptr<very_wide>> v;

	for (int i = 0; i < 200; i++) {
		w.emplace_back(new wide);
		v.emplace_back(new (std::nothrow) very_wide);
		if (!aligned(w.back().get(), 256) ||
		    !aligned(v.back().get(), 8192))
			failed++;
	}
	wide *array = new wide[7];
	CHECK(aligned(array, 256));
	delete[] array;
}

static void every_operator()
{
	for (size_t size = 0; size < 100000; size = size * 3 / 2 + 1) {
		const auto al = std::align_val_t(64);
		::operator delete(::operator new(size));
		::operator delete(::operator new(size), size);
		::operator delete[](::operator new[](size));
		::operator delete[](::operator new[](size), size);
		::operator delete(
		    ::operator new(size, std::nothrow), std::nothrow);
		::operator delete[](
		    ::operator new[](size, std::nothrow), std::nothrow);
		::operator delete(::operator new(size, al), al);
		::operator delete(::operator new(size, al), size, al);
		::operator delete[](::operator new[](size, al), al);
		::operator delete[](::operator new[](size, al), size, al);
	}
	CHECK(true);
}

static int handled;

static void failures()
{
	volatile size_t huge = SIZE_MAX / 2;
	bool caught = false;

	try {
		char *volatile p = new char[huge];
		(void)p;
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	CHECK(caught);
	CHECK(::operator new(huge, std::nothrow) == nullptr);
	std::set_new_handler([] {
		if (++handled == 3)
			throw std::bad_alloc();
	});
	caught = false;
	try {
		(void)::operator new(huge);
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	std::set_new_handler(nullptr);
	CHECK(caught && handled == 3);
}

static long containers(int seed)
{
	std::map<std::string, std::vector<int>> m;
	std::vector<std::function<long()>> f;
	long sum = 0;

	for (int i = 0; i < 3000; i++) {
		auto &v = m["key number " + std::to_string(i * seed % 701)];
		v.push_back(i);
		f.push_back([v] { return static_cast<long>(v.size()); });
		if (i % 3 == 0)
			m.erase(m.begin());
	}
	for (auto &g : f)
		sum += g();
	return sum;
}

static void exceptions_in_threads()
{
	std::vector<std::thread> t;
	long sum[8] = {};

	for (int i = 0; i < 8; i++)
		t.emplace_back([i, &sum] {
			for (int k = 0; k < 200; k++) {
				try {
					throw std::runtime_error(
					    "a rather long text " +
					    std::to_string(k));
				} catch (const std::exception &e) {
					sum[i] += e.what()[0] == 'a';
				}
			}
			sum[i] += containers(17);
		});
	for (auto &x : t)
		x.join();
	for (int i = 0; i < 8; i++)
		CHECK(sum[i] == 200 + containers(17));
}

int main()
{
	aligned_objects();
	every_operator();
	failures();
	exceptions_in_threads();
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}

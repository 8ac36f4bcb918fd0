// SPDX-License-Identifier: MIT
//
// cplusplus.cc - what the C++ library and compilers keep by inner pointers
//
// None of what is kept here is lost, and none of it only possibly; of the
// same things, what is dropped is lost.
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

extern "C" {
#include "truth.h"
}

struct first {
	virtual ~first()
	{
	}
	long a[3] = {1, 2, 3};
};

struct second {
	virtual ~second()
	{
	}
	virtual int two()
	{
		return 2;
	}
	long b[2] = {4, 5};
};

struct both : first, second {
	std::string text = std::string(60, 'x');
	int two() override
	{
		return 22;
	}
};

struct base {
	virtual ~base()
	{
	}
	long v = 7;
};
struct left : virtual base {
	long l[4] = {};
};
struct right : virtual base {
	long r[4] = {};
};
struct diamond : left, right {
	std::unique_ptr<int> held{new int(5)};
};

struct counted {
	std::string text = std::string(50, 'c');
	~counted()
	{
	}
};

struct alignas(32) wide {
	std::string text = std::string(50, 'w');
	~wide()
	{
	}
};

second *kept_second;
base *kept_base;
counted *kept_array;
counted *kept_empty;
wide *kept_wide;
std::map<int, std::string> *kept_map;
std::shared_ptr<both> kept_shared;
std::weak_ptr<counted> kept_weak;
std::vector<std::string> kept_vector;
std::unordered_map<std::string, std::list<int>> kept_table;
std::deque<std::string> kept_deque;
std::function<int()> kept_function;
std::shared_ptr<long> kept_member;

STEP void
keep_objects()
{
	kept_second = new both;
	kept_base = new diamond;
	kept_array = new counted[9];
	kept_empty = new counted[0]; // to the end of what was allocated
	kept_wide = new wide[3];
	kept_shared = std::make_shared<both>();
	auto whole = std::make_shared<both>();
	kept_member = std::shared_ptr<long>(whole, &whole->b[1]);
	auto gone = std::make_shared<counted>();
	kept_weak = gone;
}

STEP void
keep_containers()
{
	kept_map = new std::map<int, std::string>;
	for (int i = 0; i < 500; i++) {
		const std::string text(size_t(i), 'm');

		(*kept_map)[i * 7919 % 1000] = text;
		kept_vector.push_back(text);
		kept_deque.push_back(text);
		kept_deque.push_front(text);
		kept_table[text].push_back(i);
		kept_table[text].push_front(i);
	}
	for (int i = 0; i < 300; i++)
		kept_deque.pop_front();
	std::string caught(100, 'f');
	kept_function = [caught]() { return int(caught.size()); };
}

STEP void
drop()
{
	void **p = reinterpret_cast<void **>(new std::string(200, 'd'));

	truth_lost(p, DEFINITE);
	truth_lost(p[0], INDIRECT);
	auto *b = new both;
	truth_lost(b, DEFINITE);
	truth_lost(b->text.data(), INDIRECT);
	auto *empty = new counted[0];
	truth_lost(reinterpret_cast<size_t *>(empty) - 1, DEFINITE);
	auto *array = new counted[4];
	truth_lost(reinterpret_cast<size_t *>(array) - 1, DEFINITE);
	for (int i = 0; i < 4; i++)
		truth_lost(array[i].text.data(), INDIRECT);
}

int
main()
{
	drop(); // first: live memory may keep copies of what was there before
	keep_objects();
	keep_containers();
	truth_end();
}

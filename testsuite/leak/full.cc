// SPDX-License-Identifier: MIT
//
// full.cc - what fills its buffers, with lost ones right behind them; and what
// looks similar, but points to buffers that are in use
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>
extern "C" {
#include "row.h"
}

static const size_t sizes[] = {16, 48, 64, 128, 512, 2048, 4096};

// ------------------------------------------------------------------ the ends
struct holder {
	int number = 1;
	std::vector<uint64_t> v;
	std::string name = "holder";
};
std::vector<uint64_t> full[7], half[7];
std::vector<holder> holders;
std::unique_ptr<holder> held[7];
std::vector<std::vector<char>> inner;
std::vector<std::string> strings;
std::vector<uint64_t> *alone;
std::unique_ptr<std::deque<int>> fresh, popped, pushed, longer;
std::deque<int>::const_iterator position;
std::map<int, std::vector<short>> in_map;
std::vector<bool> bits[3];
std::vector<std::vector<bool>> bit_rows;
std::vector<std::vector<uint64_t>> beside;

STEP void
fill(std::vector<uint64_t> *v, size_t size)
{
	row_behind(size);
	*v = std::vector<uint64_t>(size / 8);
}
STEP void
fill_half(std::vector<uint64_t> *v, size_t size)
{
	row_behind(size);
	v->reserve(size / 8);
	v->push_back(7);
}
STEP void
fill_deques()
{
	row_behind(512);
	fresh.reset(new std::deque<int>(1));
	row_behind(512);
	popped.reset(new std::deque<int>(100));
	for (int i = 0; i < 50; i++)
		popped->pop_front();
	pushed.reset(new std::deque<int>);
	row_behind(512);
	for (int i = 0; i < 60; i++)
		pushed->push_front(i);
	longer.reset(new std::deque<int>(511));
	row_behind(512);
	longer->resize(513);
	position = longer->begin() + 512;
}
STEP void
fill_bits()
{
	row_behind(64);
	bits[0] = std::vector<bool>(512);
	row_behind(64);
	bits[1].reserve(512);
	bits[1].push_back(true);
	row_behind(128);
	bits[2] = std::vector<bool>(1024);
	bits[2].resize(700);
	bit_rows.resize(5);
	for (auto &v : bit_rows)
		v.resize(96 * 8);
	row_behind(96);
	std::vector<bool>(96 * 8).swap(bit_rows[2]);
}
// A loop that fills a row in each turn, and loses what it got next.
STEP void
fill_beside()
{
	uint64_t hidden[9];

	row(448, 9, 1, hidden);
	for (int i = 8; i >= 0; i -= 2) // the last is what malloc gives next
		free((void *)(uintptr_t)~hidden[i]);
	for (int i = 1; i < 9; i += 2)
		truth_lost((void *)(uintptr_t)~hidden[i],
		    truth_audited() ? DEFINITE : POSSIBLE);
	beside.resize(5);
	for (auto &v : beside)
		v.resize(56);
}
STEP void
make_ends()
{
	for (int i = 0; i < 7; i++) {
		fill(&full[i], sizes[i]);
		fill_half(&half[i], sizes[i]);
		held[i].reset(new holder);
		fill(&held[i]->v, sizes[i]);
	}
	holders.resize(20);
	fill(&holders[7].v, 64);
	fill_half(&holders[8].v, 64);
	fill(&holders[19].v, 1024);
	inner.resize(5);
	for (auto &v : inner)
		v.resize(96);
	row_behind(96);
	std::vector<char>(96).swap(inner[2]);
	row_behind(32 * sizeof(std::string));
	strings = std::vector<std::string>(32, std::string(70, 's'));
	alone = new std::vector<uint64_t>;
	fill(alone, 256);
	in_map[3].resize(5);
	row_behind(64);
	in_map[4] = std::vector<short>(32);
	in_map[5].resize(5);
	fill_bits();
	fill_beside();
	fill_deques();
}

// --------------------------------------------------------------- not an end
struct node {
	uint64_t value[6] = {1, 2, 3, 4, 5, 6}; // 48 bytes
};
struct base {
	virtual ~base()
	{
	}
	uint64_t a = 1;
};
struct other {
	virtual ~other()
	{
	}
	uint64_t b = 2;
};
struct both : base, other {
	uint64_t c[2] = {3, 4};
};
struct owner {
	std::shared_ptr<uint64_t> shared;
	std::unique_ptr<uint64_t[]> next; // of the same class as that
	int number = 4;
};
struct span {
	uint64_t *begin, *end;
};
std::vector<node *> table, doubles, eights;
std::vector<std::unique_ptr<node>> unique;
std::vector<std::shared_ptr<node>> shared;
std::vector<std::pair<node *, node *>> chain, apart, keyed;
std::vector<std::pair<both *, other *>> faces;
std::vector<std::pair<node *, int>> ports;
std::vector<std::vector<uint64_t>> rows, reserved, ragged;
std::vector<span> spans;
std::vector<owner> owners;
std::list<uint64_t> lists[8];
std::map<int, int> maps[8];
std::set<node *> set;
std::unordered_map<int, node *> hash;
std::deque<node *> queue;
std::map<int, std::vector<uint64_t>> map_rows;
std::vector<std::deque<int>> deques;
std::list<std::vector<uint64_t>> list_rows;
struct {
	node *head, *tail;
	size_t n;
} ends;

STEP void
make_tables()
{
	for (int i = 0; i < 40; i++) {
		table.push_back(new node);
		unique.emplace_back(new node);
		shared.push_back(std::make_shared<node>());
		queue.push_back(new node);
		set.insert(new node);
		hash[i] = new node;
		auto *b = new both;
		faces.emplace_back(b, b);
		auto *n = new node;
		for (int k = 0; k < i % 3 + 1; k++)
			ports.emplace_back(n, k);
	}
	for (int i = 0; i < 40; i++) {
		auto *n = new node;
		doubles.push_back(n);
		doubles.push_back(n);
	}
	for (int i = 0; i < 5; i++) {
		auto *n = new node;
		for (int k = 0; k < 8; k++)
			eights.push_back(n);
	}
}
STEP void
make_pairs()
{
	node *n[40];

	for (auto &p : n)
		p = new node;
	for (int i = 0; i < 39; i++)
		chain.emplace_back(n[i], n[i + 1]);
	for (auto &p : n)
		p = new node;
	for (int i = 0; i < 40; i += 2)
		apart.emplace_back(n[i], n[i + 1]);
	for (auto &p : n)
		p = new node;
	for (int i = 1; i < 40; i++)
		keyed.emplace_back(n[0], n[i]);
}
STEP void
make_rows()
{
	rows.assign(20, std::vector<uint64_t>(8));
	reserved.resize(20);
	ragged.resize(20);
	for (auto &v : reserved)
		v.reserve(6);
	for (auto &v : ragged)
		v.reserve(6);
	for (int i = 0; i < 20; i++)
		ragged[size_t(i)].resize(size_t(i) % 7);
	for (int i = 0; i < 20; i++) {
		auto *p = new uint64_t[16];
		spans.push_back({p, p + (i % 3) * 8});
		map_rows[i].assign(size_t(2 * (i % 5)), 1);
		list_rows.emplace_back(size_t(2 * (i % 5)));
	}
	deques.resize(10);
	for (int i = 0; i < 10; i++)
		for (int k = 0; k < 70 * i; k++)
			deques[size_t(i)].push_back(k);
}
STEP void
make_nodes()
{
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < i; k++) {
			lists[i].push_back(1);
			maps[i][k] = 1;
		}
	owners.resize(10);
	for (auto &o : owners) {
		o.shared = std::make_shared<uint64_t>(3);
		o.next.reset(new uint64_t[3]);
	}
	ends.head = new node;
	ends.tail = new node;
	ends.head->value[0] = 0;
}

int
main()
{
	make_ends();
	make_tables();
	make_pairs();
	make_rows();
	make_nodes();
	truth_end();
}

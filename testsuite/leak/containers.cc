// SPDX-License-Identifier: MIT
//
// containers.cc - more of what the C++ library keeps
#include <any>
#include <deque>
#include <forward_list>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <queue>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>
extern "C" {
#include "truth.h"
}
struct big {
	char text[100];
	std::string s = std::string(50, 's');
};
struct self : std::enable_shared_from_this<self> {
	std::string s = std::string(50, 's');
};
std::any any;
std::variant<int, std::string, big> var;
std::optional<std::vector<std::string>> opt;
std::set<std::string> set;
std::multimap<int, std::string> mm;
std::forward_list<std::string> fl;
std::priority_queue<std::string> pq;
std::unordered_multiset<std::string> ums;
std::vector<bool> bits;
std::promise<std::string> promise;
std::future<std::string> future;
std::shared_future<std::string> sfut;
std::function<std::string()> fn;
std::shared_ptr<std::string> alias, custom;
std::weak_ptr<big> weak, weak2;
std::shared_ptr<self> me;
std::weak_ptr<self> meweak;
std::exception_ptr exc;
std::ostringstream os;
std::regex re;
std::pmr::monotonic_buffer_resource pool;
std::pmr::vector<std::pmr::string> pmr(&pool);
std::unique_ptr<std::string[]> arr;
std::list<std::shared_ptr<big>> shared;
std::map<std::string, std::map<int, std::vector<int>>> nested;
std::wstring ws;
std::u32string us;
std::deque<int> dq;
std::string moved;
std::map<int, int>::iterator *it;
std::pmr::unsynchronized_pool_resource upool;
std::pmr::list<std::pmr::string> ulist(&upool);
std::shared_ptr<int[]> sharr;
std::unique_ptr<std::map<int, int>> m;
STEP void
keep()
{
	any = big();
	var = big();
	opt.emplace(20, std::string(30, 'o'));
	for (int i = 0; i < 200; i++) {
		std::string t(size_t(i), 't');
		set.insert(t);
		mm.emplace(i % 7, t);
		fl.push_front(t);
		pq.push(t);
		ums.insert(t);
		bits.push_back(i & 1);
		shared.push_back(std::make_shared<big>());
		nested[t][i].push_back(i);
		pmr.emplace_back(t);
		ws += L'w';
		us += U'u';
		dq.push_back(i);
		ulist.emplace_back(t);
	}
	for (int i = 0; i < 150; i++)
		dq.pop_front();
	future = promise.get_future();
	promise.set_value(std::string(60, 'p'));
	std::promise<std::string> q;
	sfut = q.get_future().share();
	q.set_value(std::string(80, 'q'));
	std::string c(90, 'c');
	auto p = std::make_shared<big>();
	fn = std::bind(
	    [](std::string a, std::shared_ptr<big> b) { return a + b->s; }, c,
	    p);
	auto whole = std::make_shared<big>();
	alias = std::shared_ptr<std::string>(whole, &whole->s);
	custom = std::shared_ptr<std::string>(
	    new std::string(33, 'x'), [](std::string *s) { delete s; });
	weak = std::make_shared<big>();
	std::shared_ptr<big> apart(new big);
	weak2 = apart;
	me = std::make_shared<self>();
	meweak = me->weak_from_this();
	try {
		throw std::runtime_error(std::string(100, 'e'));
	} catch (...) {
		exc = std::current_exception();
	}
	os << std::string(1000, 'z');
	re = std::regex("(a|b)*c[d-f]{2,3}(x|y+)?");
	arr.reset(new std::string[5]);
	for (int i = 0; i < 5; i++)
		arr[i] = std::string(40, 'a');
	moved = std::string(300, 'm');
	sharr = std::shared_ptr<int[]>(new int[50]);
	m.reset(new std::map<int, int>{{1, 2}, {3, 4}});
}
STEP void
lose()
{
	auto *s = new std::set<std::string>;
	s->insert(std::string(44, 'l'));
	void **node = (void **)&*s->begin();
	truth_lost(s, DEFINITE);
	truth_lost((char *)node - 32, INDIRECT);
	truth_lost(s->begin()->data(), INDIRECT);
	auto *sp = new std::shared_ptr<big>(new big);
	void **w = (void **)sp;
	truth_lost(sp, DEFINITE);
	truth_lost(w[0], INDIRECT);
	truth_lost(w[1], INDIRECT);
	truth_lost((*sp)->s.data(), INDIRECT);
}
int
main()
{
	lose();
	keep();
	truth_end();
}

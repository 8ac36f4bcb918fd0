// SPDX-License-Identifier: MIT
//
// cxxtls.cc - thread_local objects, arguments of threads, statics
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
extern "C" {
#include "truth.h"
}
thread_local std::map<int, std::string> table;
thread_local std::unique_ptr<std::string> one;
std::mutex lock;
std::future<std::string> lazy;
std::once_flag once;
std::condition_variable cv;
std::atomic<int> up;
struct holder {
	thread_local static std::string text;
};
thread_local std::string holder::text;
STEP std::string &
local_static()
{
	static std::string s(100, 's');
	static thread_local std::string t(110, 't');
	return t += s;
}
STEP void
fill()
{
	for (int i = 0; i < 50; i++)
		table[i] = std::string(60, 'x');
	one.reset(new std::string(70, 'y'));
	holder::text = std::string(90, 'h');
	local_static();
}
STEP void
work(std::string a, std::shared_ptr<std::string> b)
{
	fill();
	std::unique_lock<std::mutex> g(lock);
	up++;
	cv.wait(g, [] { return false; });
}
STEP void
go()
{
	for (int i = 0; i < 3; i++)
		std::thread(work, std::string(80, 'a'),
		    std::make_shared<std::string>(85, 'b'))
		    .detach();
	std::thread([] { fill(); }).join();
	lazy = std::async(
	    std::launch::deferred, [](std::string s) { return s; },
	    std::string(99, 'l'));
}
STEP void
lose()
{
	auto *p = new std::map<int, std::string>;
	truth_lost(p, DEFINITE);
}
int
main()
{
	lose();
	fill();
	go();
	while (up < 3)
		usleep(1000);
	usleep(50000);
	truth_end();
}

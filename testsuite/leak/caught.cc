// SPDX-License-Identifier: MIT
//
// caught.cc - exceptions in flight: in a handler, nested, rethrown, in a pointer
#include <exception>
#include <stdexcept>
#include <string>
extern "C" {
#include "truth.h"
}
struct err {
	std::string text = std::string(100, 'e');
	void *p = calloc(1, 66);
};
struct nest : std::exception, std::nested_exception {
	std::string t = std::string(77, 'n');
};
std::exception_ptr saved;
STEP void
thrower(int n)
{
	if (n)
		thrower(n - 1);
	throw err();
}
int
main()
{
	try {
		try {
			thrower(10);
		} catch (...) {
			std::throw_with_nested(
			    std::runtime_error(std::string(90, 'r')));
		}
	} catch (...) {
		saved = std::current_exception();
	}
	try {
		thrower(5);
	} catch (err &) {
		try {
			throw std::logic_error(std::string(120, 'l'));
		} catch (std::exception &) {
			truth_scrub();
			truth_lost(calloc(1, 40), DEFINITE);
			truth_end();
		}
	}
}

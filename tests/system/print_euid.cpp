// A program for the inside of test containers: its effective uid on one line.

#include <unistd.h>

#include <cstdio>

int main() { return std::printf("%u\n", ::geteuid()) > 0 ? 0 : 1; }

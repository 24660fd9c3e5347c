#pragma once
#include "whimbrel.h"

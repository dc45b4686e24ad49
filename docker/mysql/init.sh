#!/bin/bash
# Sourced by the mysql image while a new server is being set up. Accounts are made on each server and stay out of the
# binary log: each server begins with no transactions of its own, so that replicas can follow any of them.

password() { cat "/run/secrets/mysql-$1.password"; }

docker_process_sql --database=mysql <<-SQL
	SET SESSION sql_log_bin = 0;
	CREATE USER orchestrator@'%' IDENTIFIED BY '$(password orchestrator)';
	GRANT SUPER, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT, RELOAD ON *.* TO orchestrator@'%';
	GRANT SELECT ON mysql.slave_master_info TO orchestrator@'%';
	CREATE USER replication@'%' IDENTIFIED BY '$(password replication)';
	GRANT REPLICATION SLAVE ON *.* TO replication@'%';
	CREATE USER monitor@'%' IDENTIFIED BY '$(password monitor)';
	GRANT REPLICATION CLIENT ON *.* TO monitor@'%';
	CREATE USER app@'%' IDENTIFIED BY '$(password app)';
	GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON shop.* TO app@'%';
	RESET MASTER;
SQL

if [ "$ROLE" = source ]; then
	docker_process_sql <<-SQL
		CREATE DATABASE shop;
	SQL
else
	docker_process_sql <<-SQL
		CHANGE REPLICATION SOURCE TO SOURCE_HOST='db1', SOURCE_USER='replication',
			SOURCE_PASSWORD='$(password replication)', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1;
	SQL
fi

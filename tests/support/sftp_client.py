#!/usr/bin/python3
"""Joins standard input and output to the SFTP socket of the instance $SFTP_INSTANCE: what `sftp -D` wants as a server."""

import os
import socket
import sys
import threading


def open_sftp(path, name, upgrade="sftp"):
    """The connection after its 101, or the answer's head when there is none."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(path)
    connection.sendall(f"GET /1.0/instances/{name}/sftp HTTP/1.1\r\nHost: berth\r\nUpgrade: {upgrade}\r\nConnection: Upgrade\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return connection, head.decode()


def send(connection):
    while True:
        data = os.read(0, 65536)
        if not data:
            connection.shutdown(socket.SHUT_WR)
            return
        connection.sendall(data)


def main():
    connection, head = open_sftp(os.environ["LXD_SOCKET"], os.environ["SFTP_INSTANCE"])
    if " 101 " not in head.splitlines()[0]:
        sys.exit(f"no SFTP: {head}")
    connection.settimeout(None)
    threading.Thread(target=send, args=(connection,), daemon=True).start()
    while True:
        data = connection.recv(65536)
        if not data:
            return
        os.write(1, data)


if __name__ == "__main__":
    main()
